import { toolLists } from '../pins.ts';
import { parseJson, strictJson } from '../read/json.ts';
import { everyText } from '../read/node.ts';
import { hiddenText } from './hidden-text.ts';
import { rule } from './rule.ts';
import { aboutInjection, overrides } from './text-patterns.ts';

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
    for (const { file, text } of toolLists({ tree, homes })) {
      const parsed = parseJson(text, strictJson);
      if (parsed.root === undefined) continue;
      for (const { keys, line, value } of everyText(parsed.root)) {
        const what = suspicion(value);
        if (what !== undefined) yield { file, line, message: `a cached tool list: ${keys.join('.')} ${what}` };
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
