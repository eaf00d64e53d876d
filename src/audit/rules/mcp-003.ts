import { secretIn } from '../read/secret.ts';
import { rule } from './rule.ts';

export const secretInServer = rule({
  id: 'MCP-003',
  severity: 'critical',
  summary: "A secret stands in the clear in an MCP server's settings",
  owasp: ['LLM02', 'ASI03'],
  remedy: 'Replace it by a reference to a variable or a helper, and change the secret',
  *check({ servers }) {
    for (const { doc, name, argv, url, values } of servers) {
      for (const { key, value, line, kind } of values) {
        const what = secretIn(key, value);
        if (what !== undefined)
          yield {
            doc,
            line,
            message: `server "${name}": the ${kind} ${key} holds a secret in the clear (${what}, ${value.length} characters)`,
          };
      }
      for (const [index, { value, line }] of argv.entries()) {
        const before = argv[index - 1]?.value ?? '';
        const [, flagName = '', inline = ''] = /^(--?[\w-]+)=(.+)$/s.exec(value) ?? [];
        const what = inline === '' ? secretIn(before.replace(/^-+/, ''), value) : secretIn(flagName.replace(/^-+/, ''), inline);
        const header = /^(?:[\w-]*(?:authorization|api-key|token)[\w-]*)\s*:\s*(.+)$/i.exec(value)?.[1];
        const found = what ?? (header === undefined ? undefined : secretIn('authorization', header));
        if (found !== undefined) yield { doc, line, message: `server "${name}": an argument holds a secret in the clear (${found})` };
      }
      if (url !== undefined && URL.canParse(url.value)) {
        const parsed = new URL(url.value);
        const query = [...parsed.searchParams].find(([key, value]) => secretIn(key, value) !== undefined);
        if (parsed.password !== '' || query !== undefined)
          yield {
            doc,
            line: url.line,
            message: `server "${name}": its address holds a ${parsed.password !== '' ? 'password' : `secret (${query?.[0] ?? ''})`}`,
          };
        else if (secretIn('', url.value) !== undefined)
          yield { doc, line: url.line, message: `server "${name}": its address holds a secret` };
      }
    }
  },
});
