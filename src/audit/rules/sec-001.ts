import { everyText } from '../read/node.ts';
import { secretIn, secretShape } from '../read/secret.ts';
import { linesOf } from './commands.ts';
import { rule } from './rule.ts';

const perFile = 5;

export const secretInSettings = rule({
  id: 'SEC-001',
  severity: 'critical',
  summary: 'A secret stands in the clear in settings, rules or memory of an agent',
  owasp: ['LLM02'],
  remedy: 'Replace it by a reference to a variable or a helper, and change the secret',
  *check({ docs, servers }) {
    const seen = new Set<string>();
    const inServers = new Set(
      servers.flatMap((server) =>
        [...server.values, ...server.argv, ...(server.url === undefined ? [] : [server.url])].map(
          ({ line }) => `${server.doc.path}:${line}`,
        ),
      ),
    );
    for (const doc of docs) {
      if (doc.fault !== undefined || doc.file.role === 'secrets' || doc.file.role === 'transcript' || seen.has(doc.path)) continue;
      seen.add(doc.path);
      let count = 0;
      if (doc.root !== undefined) {
        for (const { keys, line, value } of everyText(doc.root)) {
          if (inServers.has(`${doc.path}:${line}`) || count >= perFile) continue;
          const what = secretIn(keys.at(-1) ?? '', value);
          if (what === undefined) continue;
          count++;
          yield { doc, line, message: `${keys.slice(-3).join('.')} holds a secret in the clear (${what}, ${value.length} characters)` };
        }
      } else {
        for (const [line, content] of linesOf(doc.text)) {
          const what = count < perFile ? secretShape(content) : undefined;
          if (what === undefined) continue;
          count++;
          yield { doc, line, message: `a secret in the clear (${what}) in text that the model reads` };
        }
      }
    }
  },
});
