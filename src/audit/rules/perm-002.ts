import { isInterpreter } from './commands.ts';
import { hitOf } from './on-grant.ts';
import { rule } from './rule.ts';

export const interpreterPrefix = rule({
  id: 'PERM-002',
  severity: 'high',
  summary: 'An allowed prefix is as good as a shell: an interpreter, a launcher or a network tool with free arguments',
  owasp: ['ASI02', 'ASI05'],
  remedy: 'Allow the one script or address that is meant, not the program that runs or fetches anything',
  *check({ grants }) {
    for (const grant of grants) {
      if (grant.mode !== 'allow' || grant.action !== 'shell' || grant.pattern === '*') continue;
      const program = isInterpreter(grant);
      if (program !== undefined)
        yield hitOf(grant, `"${grant.raw}" equals an open shell: ${program} runs or fetches whatever its arguments say`);
    }
  },
});
