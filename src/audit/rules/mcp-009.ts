import { expand, join } from '../load.ts';
import { everyText } from '../read/node.ts';
import { parseJson, strictJson } from '../read/json.ts';
import { rule } from './rule.ts';
import { hiddenText } from './hidden-text.ts';
import { aboutInjection, overrides } from './text-patterns.ts';

/** Where clients keep tool lists that a server sent. */
const caches = [
  '.cursor/projects/*/mcps/*/tools/*.json',
  '.cache/claude-cli-nodejs/*/mcp-*/*.json',
  '.claude/mcp-*cache*.json',
  '.mcp-auth/*/*.json',
  '.codeium/windsurf/mcp_cache/*.json',
  '.cline/data/cache/*mcp*.json',
];

export const toolPoisoning = rule({
  id: 'MCP-009',
  severity: 'critical',
  summary: "A tool's description gives orders to the model",
  owasp: ['ASI01'],
  remedy: 'Remove the server; its tools speak to the model, not about themselves',
  *check({ servers, tree, homes }) {
    for (const { doc, node, name } of servers) {
      for (const { keys, line, value } of everyText(node)) {
        if (!keys.some((key) => /description|instructions|prompt|tools/i.test(key))) continue;
        const what = suspicion(value);
        if (what !== undefined) yield { doc, line, message: `server "${name}": ${keys.join('.')} ${what}` };
      }
    }
    for (const home of homes) {
      for (const pattern of caches) {
        for (const file of expand(tree, join(home, pattern))) {
          const read = tree.read(file, 1 << 20);
          if (read.bytes === undefined) continue;
          const parsed = parseJson(read.bytes.toString('utf8'), strictJson);
          if (parsed.root === undefined) continue;
          for (const { keys, line, value } of everyText(parsed.root)) {
            const what = suspicion(value);
            if (what !== undefined) yield { file, line, message: `a cached tool list: ${keys.join('.')} ${what}` };
          }
        }
      }
    }
  },
});

function suspicion(text: string): string | undefined {
  const hidden = hiddenText(text)[0];
  if (hidden !== undefined && hidden.severity !== 'info') return `holds ${hidden.what}`;
  const found = overrides.find(({ shape }) => shape.test(text));
  return found === undefined ||
    (aboutInjection.test(text.replace(/https?:\/\/\S+/g, '')) && found.what !== 'asks to send secrets out' && !/<IMPORTANT>/i.test(text))
    ? undefined
    : found.what;
}
