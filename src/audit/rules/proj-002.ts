import { rule } from './rule.ts';

export const approvesOwnServers = rule({
  id: 'PROJ-002',
  severity: 'critical',
  summary: 'A repository approves its own MCP servers',
  owasp: ['ASI04'],
  remedy: 'Remove the key; approve servers one by one, by a person',
  *check({ signals, servers }) {
    for (const { means, doc, key, value, line } of signals) {
      if (means !== 'mcp-auto-start') continue;
      const own = doc.scope === 'project' || doc.scope === 'local';
      yield {
        doc,
        line,
        message: own
          ? `${key} = ${value}: the repository's MCP servers start without anybody's approval`
          : `${key} = ${value}: every repository's MCP servers start without approval`,
        ...(own ? {} : { severity: 'high' as const }),
      };
    }
    for (const { doc, name, approvals } of servers) {
      if (doc.scope !== 'project' && doc.scope !== 'local') continue;
      const [first] = approvals;
      if (first !== undefined)
        yield { doc, line: first.line, message: `the repository approves tools of its server "${name}" (${first.what})` };
    }
  },
});
