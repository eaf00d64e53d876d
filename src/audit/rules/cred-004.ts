import { secretFiles } from '../catalogue/secret-files.ts';
import { join } from '../load.ts';
import { rule } from './rule.ts';

export const credentialFileOpen = rule({
  id: 'CRED-004',
  severity: 'high',
  summary: 'A credential file can be read by other users of this machine',
  owasp: ['ASI03'],
  remedy: 'chmod 600 the file',
  *check({ docs, homes, tree }) {
    const seen = new Set<string>();
    const others = (mode: number): string | undefined =>
      (mode & 0o004) !== 0 ? 'everybody' : (mode & 0o040) !== 0 ? 'the group' : undefined;
    for (const doc of docs) {
      if (doc.file.role !== 'secrets' || doc.workspace !== undefined || seen.has(doc.path) || doc.text.trim() === '') continue;
      seen.add(doc.path);
      const who = doc.stat.kind === 'file' ? others(doc.stat.mode) : undefined;
      if (who !== undefined) yield { doc, line: 1, message: `a credential file that ${who} can read (mode ${doc.stat.mode.toString(8)})` };
    }
    for (const home of homes) {
      for (const { path, what } of secretFiles) {
        const stat = tree.stat(join(home, path));
        const who = stat?.kind === 'file' ? others(stat.mode) : undefined;
        // These may hold harmless settings as well; keys and tokens may not be open.
        const isMixed = /\.npmrc$|docker\/config|kube\/config|m2\/settings|cargo/.test(path);
        if (
          isMixed &&
          who !== undefined &&
          !/_auth|token|password|"auth"|client-key-data/i.test(tree.read(join(home, path), 1 << 20).bytes?.toString('utf8') ?? '')
        )
          continue;
        if (stat !== undefined && who !== undefined)
          yield { file: join(home, path), line: 1, message: `${what}: ${who} can read it (mode ${stat.mode.toString(8)})` };
      }
    }
  },
});
