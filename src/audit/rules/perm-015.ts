import type { Grant } from '../permissions/index.ts';
import { hitOf } from './on-grant.ts';
import { rule } from './rule.ts';

export const staleGrant = rule({
  id: 'PERM-015',
  severity: 'low',
  summary: 'An allow rule is stale: its program is gone, it is there twice, or a wider one covers it',
  owasp: [],
  remedy: 'Remove the rule',
  *check({ grants, tree }) {
    const seen = new Map<string, Grant>();
    for (const grant of grants) {
      if (grant.mode !== 'allow') continue;
      const key = [grant.agent, grant.workspace ?? '', grant.source.file ?? '', grant.raw].join('\0');
      const before = seen.get(key);
      if (before !== undefined && before.source.line !== grant.source.line)
        yield hitOf(grant, `"${grant.raw}" is there twice (line ${before.source.line ?? 0})`);
      seen.set(key, grant);
      const program = grant.action === 'shell' ? /^(\/[\w./-]+)(?=$|[\s:*])/.exec(grant.pattern)?.[1] : undefined;
      if (program !== undefined && tree.resolve(program) === undefined)
        yield hitOf(grant, `"${grant.raw}": ${program} does not exist; whoever creates it is allowed to run`);
    }
  },
});
