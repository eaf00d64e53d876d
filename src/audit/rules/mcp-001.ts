import { fetched } from '../mcp.ts';
import { rule } from './rule.ts';

export const unpinnedServer = rule({
  id: 'MCP-001',
  severity: 'high',
  summary: 'An MCP server is fetched anew, in whatever version is current',
  owasp: ['ASI04'],
  remedy: 'Name an exact version (npx -y name@1.2.3, uvx name==1.2.3, image@sha256:…), or install it and start the file',
  *check({ servers }) {
    for (const { doc, name, line, pinned, argv, isDisabled } of servers) {
      if (pinned !== false) continue;
      const target =
        fetched(argv.map(({ value }) => value))?.target ?? argv.map(({ value }) => value).find((value) => value.startsWith('git+')) ?? '';
      yield {
        doc,
        line,
        message: `server "${name}" starts ${target} in whatever version is current`,
        ...(isDisabled ? { severity: 'low' as const } : {}),
      };
    }
  },
});
