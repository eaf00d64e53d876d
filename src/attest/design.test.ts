// In a dozen runs every value meets every other, so that no pair of surroundings goes unlooked at.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { designOf } from './design.ts';
import { type Factor, factors, levels } from './factors.ts';
import { seeded } from './synthetic-agents.ts';

const valuesOf = (factor: Factor): (string | undefined)[] => [undefined, ...levels[factor].others.map(({ id }) => id)];

function missingPairs(plan: ReturnType<typeof designOf>, vary: readonly Factor[]): string[] {
  const missing: string[] = [];
  for (const [i, one] of vary.entries()) {
    for (const other of vary.slice(i + 1)) {
      for (const a of valuesOf(one)) {
        for (const b of valuesOf(other)) {
          const isBase = a === undefined && b === undefined;
          if (!isBase && !plan.some((run) => run[one] === a && run[other] === b)) missing.push(`${one}=${a} ${other}=${b}`);
        }
      }
    }
  }
  return missing;
}

const varied = factors.filter((factor) => levels[factor].others.length > 0);

it('every pair of values is in some run, and with everything varied there are twelve', () => {
  fc.assert(
    fc.property(fc.subarray(varied, { minLength: 2 }), fc.nat(), (vary, seed) => {
      const plan = designOf(vary, seeded(seed));
      expect(missingPairs(plan, vary)).toEqual([]);
      expect(plan.length).toBeLessThanOrEqual(16);
    }),
    { numRuns: 40 },
  );
  for (const seed of [1, 2, 3]) expect(designOf(factors, seeded(seed))).toHaveLength(12);
});

it('a single factor is varied alone', () => {
  expect(designOf(['timezone'], Math.random)).toEqual(levels.timezone.others.map(({ id }) => ({ timezone: id })));
});
