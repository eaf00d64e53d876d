import { pinsOf } from '../pins.ts';
import { rule } from './rule.ts';

export const toolListChanged = rule({
  id: 'MCP-010',
  severity: 'medium',
  summary: 'The tools of an MCP server have changed since they were looked at',
  owasp: ['ASI04'],
  remedy: 'Read the new descriptions; save a new baseline when they are right',
  *check(facts) {
    if (facts.pins.size === 0) return;
    for (const { file, sha256, kind } of pinsOf(facts)) {
      const before = facts.pins.get(file);
      if (kind === 'tool-list' && before !== undefined && before !== sha256)
        yield { file, line: 1, message: `a tool list changed since the baseline (now sha256 ${sha256.slice(0, 12)})` };
    }
  },
});
