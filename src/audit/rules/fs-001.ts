import { isBelow } from '../scan.ts';
import { rule } from './rule.ts';

export const settingsWritableByOthers = rule({
  id: 'FS-001',
  severity: 'high',
  summary: 'Somebody else can change what steers an agent',
  owasp: ['ASI03'],
  remedy: 'chmod go-w the file and its directory, and own them',
  *check({ docs, tree, owners, homes }) {
    const seen = new Set<string>();
    for (const doc of docs) {
      if (doc.file.role === 'transcript' || seen.has(doc.path)) continue;
      seen.add(doc.path);
      const what = doc.file.role === 'instructions' || doc.file.role === 'skill' ? 'what the model reads' : 'what steers the agent';
      if (doc.stat.kind === 'link') {
        const real = tree.resolve(doc.path);
        const base = doc.workspace?.path ?? doc.home;
        // Dotfiles are often links into a repository of the same home.
        const isOut = real !== undefined && base !== undefined && !isBelow(real, base) && !homes.some((home) => isBelow(real, home));
        if (isOut) yield { doc, line: 1, message: `is a link out of ${base} to ${real}` };
        else if (real === undefined && doc.fault === undefined) yield { doc, line: 1, message: 'is a link that leads nowhere' };
        continue;
      }
      if ((doc.stat.mode & 0o002) !== 0)
        yield { doc, line: 1, message: `everybody can change ${what} (mode ${doc.stat.mode.toString(8)})` };
      const owner = doc.home === undefined ? ownerOf(doc.workspace?.path, homes, owners) : owners.get(doc.home);
      if (owner !== undefined && owner >= 0 && doc.stat.uid !== owner && doc.stat.uid !== 0 && doc.scope !== 'managed')
        yield { doc, line: 1, message: `belongs to another user (uid ${doc.stat.uid}), who can change ${what}` };
      if (doc.scope === 'managed' && doc.stat.uid !== 0 && !doc.path.endsWith('.toml'))
        yield { doc, line: 1, message: `a managed file that does not belong to root (uid ${doc.stat.uid})` };
      const dir = doc.path.slice(0, doc.path.lastIndexOf('/')) || '/';
      const stat = tree.stat(dir);
      if (stat?.kind === 'directory' && (stat.mode & 0o002) !== 0 && (stat.mode & 0o1000) === 0 && !seen.has(dir)) {
        seen.add(dir);
        yield { doc, line: 1, message: `its directory ${dir} can be changed by everybody, so the file can be replaced` };
      }
    }
  },
});

function ownerOf(workspace: string | undefined, homes: readonly string[], owners: ReadonlyMap<string, number>): number | undefined {
  const home = workspace === undefined ? undefined : homes.find((one) => isBelow(workspace, one));
  return home === undefined ? undefined : owners.get(home);
}
