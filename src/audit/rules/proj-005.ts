import { at, entriesOf, flag, text, texts } from '../read/node.ts';
import { rule } from './rule.ts';

export const overBroadTrust = rule({
  id: 'PROJ-005',
  severity: 'high',
  summary: 'Trust was given to a directory that holds everything',
  owasp: ['ASI09'],
  remedy: 'Trust single repositories; remove the wide entry',
  *check({ docs, signals, homes, walk }) {
    const isWide = (dir: string): string | undefined => {
      const bare = dir.replace(/(?<=.)\/+$/, '');
      if (bare === '/' || bare === '~' || bare === '' || /^[A-Z]:[\\/]?$/.test(dir)) return bare === '~' ? 'the whole home' : 'everything';
      if (homes.includes(bare) || /^\/(home|Users|root)(\/[^/]+)?$/.test(bare)) return 'the whole home';
      const below = walk.workspaces.filter(({ path, isGit }) => isGit && path.startsWith(`${bare}/`)).length;
      return below >= 3 ? `${below} repositories` : undefined;
    };
    for (const doc of docs) {
      if (doc.root === undefined) continue;
      for (const { key, line, node } of [
        ...entriesOf(at(doc.root, 'projects')),
        ...(doc.path.endsWith('trustedFolders.json') ? entriesOf(doc.root) : []),
      ]) {
        const trusted =
          flag(at(node, 'hasTrustDialogAccepted')) === true ||
          text(at(node, 'trust_level')) === 'trusted' ||
          /^TRUST_(FOLDER|PARENT)$/.test(text(node) ?? '');
        const what = trusted ? isWide(key) : undefined;
        if (what !== undefined) yield { doc, line, message: `"${key}" is trusted: that is ${what}, and every repository in it` };
      }
      for (const list of ['trustedFolders', 'trusted_folders', 'trustedDirectories', 'trusted']) {
        for (const { value, line } of texts(at(doc.root, list))) {
          const what = isWide(value);
          if (what !== undefined) yield { doc, line, message: `"${value}" is trusted: that is ${what}, and every repository in it` };
        }
      }
    }
    for (const { means, doc, value, line } of signals)
      if (means === 'trust-wide') yield { doc, line, message: `"${value}" is trusted, and every repository in it` };
  },
});
