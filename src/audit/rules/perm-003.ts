import { isInterpreter, isRootLike, isUnfenced } from './commands.ts';
import { hitOf } from './on-grant.ts';
import { rule } from './rule.ts';

export const unfencedPrefix = rule({
  id: 'PERM-003',
  severity: 'high',
  summary: 'An allowed prefix has no fence around its arguments, so aliases, hooks and scripts of the repository run',
  owasp: ['ASI05'],
  remedy: 'Name the subcommand: "git status:*" instead of "git:*", "npm run test" instead of "npm run:*"',
  *check({ grants }) {
    for (const grant of grants) {
      if (grant.mode !== 'allow' || grant.action !== 'shell' || isInterpreter(grant) !== undefined || isRootLike(grant) !== undefined)
        continue;
      const prefix = isUnfenced(grant);
      if (prefix !== undefined)
        yield hitOf(grant, `"${grant.raw}": ${prefix} runs code that the repository names (scripts, hooks, aliases)`);
    }
  },
});
