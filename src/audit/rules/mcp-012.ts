import type { McpServer } from '../mcp.ts';
import { rule } from './rule.ts';

const many = 20;

export const shadowedServer = rule({
  id: 'MCP-012',
  severity: 'medium',
  summary: 'Two MCP servers share a name, or there are very many',
  owasp: ['ASI08'],
  remedy: 'Keep one server a name; remove those that nobody uses',
  *check({ servers }) {
    const byAgent = new Map<string, McpServer[]>();
    for (const server of servers)
      if (!server.isDisabled && server.doc.workspace?.isSample !== true)
        byAgent.set(server.agent, [...(byAgent.get(server.agent) ?? []), server]);
    for (const [agent, own] of byAgent) {
      const seen = new Map<string, McpServer>();
      for (const server of own) {
        const before = [...seen.values()].find(
          (one) =>
            one.name === server.name &&
            (one.doc.workspace === undefined || server.doc.workspace === undefined || one.doc.workspace === server.doc.workspace),
        );
        const same =
          before !== undefined &&
          JSON.stringify(before.argv.map(({ value }) => value)) === JSON.stringify(server.argv.map(({ value }) => value)) &&
          before.url?.value === server.url?.value;
        if (before !== undefined && !same && before.doc.path !== server.doc.path)
          yield {
            doc: server.doc,
            line: server.line,
            message: `server "${server.name}" shadows the one in ${before.doc.path}:${before.line}`,
          };
        seen.set(`${server.doc.path}\0${server.name}`, server);
      }
      if (own.length > many)
        yield {
          agent,
          file: own[0]?.doc.path,
          message: `${own.length} MCP servers: nobody reads that many tool descriptions, the model reads them all`,
          severity: 'low',
        };
    }
  },
});
