import { expect, it } from 'vitest';
import type { Entry } from '../core/index.ts';
import { lostOutcomes } from './lost-outcomes.ts';

const entry = (index: number, fields: Partial<Entry>): Entry => ({
  index,
  time: new Date(index * 1000).toISOString(),
  action: 'llm.invoke',
  ...fields,
});
const run = [
  entry(0, { action: 'daemon.start' }),
  entry(1, { decision: 'allow', session: 'earlier' }),
  entry(2, { action: 'daemon.start' }),
  entry(3, { decision: 'allow', session: 's', provider: 'p' }),
  entry(4, { decision: 'deny', session: 's' }),
  entry(5, { decision: 'allow', session: 's', provider: 'p' }),
  entry(6, { outcomeOf: 3, status: 200 }),
  entry(7, { action: 'process.exec', decision: 'allow', session: 's' }),
];

function indexOf(entries: readonly Entry[]): Parameters<typeof lostOutcomes>[0] {
  return {
    tail: (n) => entries.slice(-n),
    find: ({ action, since, limit = entries.length }) =>
      entries
        .filter((one) => (action === undefined || one.action === action) && Date.parse(one.time) >= (since?.getTime() ?? 0))
        .slice(-limit),
  };
}

it('what was under way when the daemon was killed is recorded as unknown, once', () => {
  const lost = lostOutcomes(indexOf(run));
  expect(lost).toEqual([
    { action: 'llm.invoke', session: 's', provider: 'p', outcomeOf: 5, reason: 'the daemon ended before the outcome was known' },
  ]);
  expect(lostOutcomes(indexOf([...run, ...lost.map((body, i) => entry(8 + i, body))]))).toEqual([]);
});

it('a daemon that was stopped in order has lost nothing, and a new ledger neither', () => {
  expect(lostOutcomes(indexOf([...run, entry(8, { action: 'daemon.stop' })]))).toEqual([]);
  expect(lostOutcomes(indexOf([]))).toEqual([]);
});
