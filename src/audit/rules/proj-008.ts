import { product } from '../../core/index.ts';
import { pinsOf } from '../pins.ts';
import { rule } from './rule.ts';

export const changedSincePinned = rule({
  id: 'PROJ-008',
  severity: 'high',
  summary: 'What a repository brings for agents has changed since it was looked at',
  owasp: ['ASI04'],
  remedy: 'Read the change; save a new baseline when it is right',
  *check(facts) {
    for (const { file, says } of facts.drifted) {
      const agent = facts.docs.find(({ path }) => path === file)?.agent.id;
      yield {
        ...(agent === undefined ? {} : { agent }),
        file,
        line: 1,
        message: says,
        remedy: `Read the change; ${product.name} audit --pin when it is right`,
      };
    }
    if (facts.pins.size === 0) return;
    for (const { file, sha256, kind } of pinsOf(facts)) {
      const before = facts.pins.get(file);
      const agent = facts.docs.find(({ path }) => path === file)?.agent.id;
      if (kind === 'repository' && before !== undefined && before !== sha256)
        yield {
          ...(agent === undefined ? {} : { agent }),
          file,
          line: 1,
          message: `changed since the baseline (now sha256 ${sha256.slice(0, 12)})`,
        };
    }
  },
});
