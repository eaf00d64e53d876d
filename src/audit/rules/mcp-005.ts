import { rule } from './rule.ts';

export const approvedTools = rule({
  id: 'MCP-005',
  severity: 'high',
  summary: 'Tools of an MCP server run without a question',
  owasp: ['ASI02'],
  remedy: 'Approve single read-only tools at most',
  *check({ servers }) {
    for (const { doc, name, approvals } of servers) {
      const [first] = approvals;
      if (first === undefined) continue;
      const isAll = approvals.some(({ what }) => /\*|: true$|approval mode/.test(what));
      const harmless = approvals.every(({ what }) =>
        /: (get|list|read|search|find|query|describe|view|show|resolve|status)[\w-]*$/i.test(what),
      );
      yield {
        doc,
        line: first.line,
        message: `${isAll ? 'all tools' : `${approvals.length} tool${approvals.length === 1 ? '' : 's'}`} of server "${name}" run without a question (${first.what})`,
        ...(harmless ? { severity: 'low' as const } : isAll ? {} : { severity: 'high' as const }),
      };
    }
  },
});
