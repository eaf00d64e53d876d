import { at, entriesOf, flag, text } from '../read/node.ts';
import { rule } from './rule.ts';

export const unpinnedMarketplace = rule({
  id: 'SKL-003',
  severity: 'medium',
  summary: 'Plugins come from a place that is not pinned, or update themselves',
  owasp: ['ASI04'],
  remedy: 'Pin the source to a commit, and switch automatic updates off',
  *check({ docs, signals }) {
    for (const doc of docs) {
      if (doc.root === undefined) continue;
      const tables = [at(doc.root, 'extraKnownMarketplaces'), ...(doc.path.endsWith('known_marketplaces.json') ? [doc.root] : [])];
      for (const { key, line, node } of tables.flatMap((table) => entriesOf(table))) {
        const source = at(node, 'source');
        const kind = text(at(source, 'source'));
        const pinned = /^[0-9a-f]{40}$/.test(text(at(source, 'ref')) ?? text(at(source, 'commit')) ?? text(at(source, 'sha')) ?? '');
        const updates = flag(at(node, 'autoUpdate')) === true;
        if (kind === 'directory' || kind === 'file' || (pinned && !updates)) continue;
        yield {
          doc,
          line,
          message: `marketplace "${key}" (${text(at(source, 'repo')) ?? text(at(source, 'url')) ?? kind ?? 'unknown source'}) is not pinned to a commit${updates ? ' and updates itself' : ''}`,
        };
      }
    }
    for (const { means, doc, key, value, line } of signals) {
      if (means !== 'marketplace' || key.startsWith('extraKnownMarketplaces')) continue;
      if (/^(\.|\/|file:)/.test(value) || /@\d+\.\d+\.\d+$/.test(value)) continue;
      yield { doc, line, message: `${key} = ${value.slice(0, 80)}: code that is fetched in whatever version is current` };
    }
  },
});
