import { isRootLike } from './commands.ts';
import { hitOf } from './on-grant.ts';
import { rule } from './rule.ts';

export const rootEquivalent = rule({
  id: 'PERM-006',
  severity: 'critical',
  summary: 'The agent may use a command that equals root: container engines, cluster tools, sudo',
  owasp: ['ASI03'],
  remedy: 'Let these ask, always; allow single read-only subcommands at most',
  *check({ grants }) {
    for (const grant of grants) {
      if (grant.mode !== 'allow' || grant.action !== 'shell') continue;
      const program = isRootLike(grant);
      if (program !== undefined) yield hitOf(grant, `"${grant.raw}": ${program} without a question equals root on this machine or cluster`);
    }
  },
});
