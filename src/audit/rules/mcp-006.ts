import { hitOf } from './on-grant.ts';
import { confidenceOf, rule } from './rule.ts';

export const allServersRun = rule({
  id: 'MCP-006',
  severity: 'high',
  summary: 'Every tool of every MCP server runs without a question',
  owasp: ['ASI02'],
  remedy: 'Name servers and tools',
  *check({ grants, signals }) {
    for (const grant of grants) {
      const isAll =
        /^(mcp__\*?(__\*)?|mcp_\*|mcp\(\*(:\*)?\)|@\*|mcp)$/i.test(grant.raw.trim()) ||
        (grant.action === 'mcp' &&
          /^(Mcp|mcpTools|useMcp|mcp|alwaysAllowMcp|mcp_permissions)$/.test(grant.tool) &&
          grant.pattern === '*') ||
        (grant.tool === 'Mcp' && /^\*([:/]\*)?$/.test(grant.pattern));
      if (grant.mode === 'allow' && isAll) yield hitOf(grant, `"${grant.raw}" lets every tool of every server run without a question`);
    }
    for (const { means, doc, key, value, line, confidence } of signals) {
      // Single servers are MCP-005's.
      if (means === 'all-mcp' && !/^(mcpServers|mcp_servers)\./.test(key))
        yield {
          doc,
          line,
          message: `${key} = ${value}: every tool of every server runs without a question`,
          confidence: confidenceOf(confidence),
        };
    }
  },
});
