// Every way to mark is found, every innocent agent is left alone, seed after seed.
import { describe, expect, it } from 'vitest';
import { attest } from './attest.ts';
import type { Attestation } from './bench.ts';
import { type Factor, factors } from './factors.ts';
import type { SyntheticAgent } from './synthetic-agents.ts';
import { inSystem, seeded, simulate } from './synthetic-agents.ts';
import { innocentAgents } from './synthetic-innocents.ts';
import { lateMark, markingAgents } from './synthetic-marks.ts';

function examine(agent: SyntheticAgent, seed: number, hour?: number, vary?: readonly Factor[]): Promise<Attestation> {
  const random = seeded(seed);
  return attest({ run: async (assignment) => simulate(agent, assignment, random, hour), random, ...(vary ? { vary } : {}) });
}

it('three tokens of the date line, late in the evening when the day is another one elsewhere', async () => {
  const agent = markingAgents.find(({ id }) => id === 'apostrophe and date separator');
  if (agent === undefined) throw new Error('the agent is missing');
  const { covert, disclosed } = await examine(agent, 7, 20);
  expect(covert.map(({ where, channel, tokens }) => ({ where, channel, tokens: tokens.toSorted() }))).toEqual([
    { where: 'POST /v1/messages system[0].text', channel: 'value', tokens: ['"\'" U+0027 → "\u02bc" U+02BC', '"-" U+002D → "/" U+002F'] },
  ]);
  expect(disclosed).toContainEqual(
    expect.objectContaining({
      what: 'timezone',
      where: 'POST /v1/messages system[0].text',
      to: 'model',
      quote: expect.stringContaining('Today'),
    }),
  );
});

it('a date in English words, which ignores the locale, is no mark when the day is another one elsewhere', async () => {
  const inWords: SyntheticAgent = {
    id: 'date in words',
    marks: undefined,
    follows: [],
    change(draft, { now, timezone: timeZone }) {
      const day = new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' }).format(
        now,
      );
      inSystem(draft, /Today.*/, `Today's date is ${day} (formatted according to the user's locale).`);
    },
  };
  for (const seed of [1, 2, 3]) expect((await examine(inWords, seed, 20)).covert).toEqual([]);
});

it('a count that the proxy hides is no count that the proxy fixes', async () => {
  const retrying = innocentAgents.find(({ id }) => id === 'random retries and reconnects');
  if (retrying === undefined) throw new Error('the agent is missing');
  expect((await examine(retrying, 11)).covert).toEqual([]);
});

it('a value with which the program fails is said, and hides nothing of what varied beside it', async () => {
  const agent = markingAgents.find(({ id }) => id === 'synonym');
  if (agent === undefined) throw new Error('the agent is missing');
  const random = seeded(3);
  const seen = await attest({
    run: async (assignment) => {
      if (assignment.proxy !== undefined) throw new Error('no proxy for me');
      return simulate(agent, assignment, random);
    },
    random,
  });
  expect(seen).toMatchObject({ unseen: [{ proxy: 'http://127.0.0.1:3128' }], failures: ['no proxy for me'], passed: false });
  expect(seen.covert).toMatchObject([{ variesWith: ['timezone'] }]);
  expect(seen.runs - seen.failedRuns, 'what failed was made again without the proxy').toBe(19);
});

it('a run that fails by chance is made again, and nothing goes unseen', async () => {
  const random = seeded(4);
  let calls = 0;
  const agent = innocentAgents[0];
  if (agent === undefined) throw new Error('the agent is missing');
  const { runs, failedRuns, unseen, passed } = await attest({
    run: async (assignment) => {
      calls += 1;
      if (calls === 5) throw new Error('out of memory');
      return simulate(agent, assignment, random);
    },
    random,
  });
  expect({ runs, failedRuns, unseen, passed }).toEqual({ runs: 16, failedRuns: 1, unseen: [], passed: true });
});

it('an innocent program takes few runs, and what is under way is told', async () => {
  const [innocent] = innocentAgents;
  const marking = markingAgents.find(({ id }) => id === 'user agent');
  if (innocent === undefined || marking === undefined) throw new Error('the agents are missing');
  expect((await examine(innocent, 5)).runs).toBe(15);
  const random = seeded(5);
  const progress: string[] = [];
  await attest({
    run: async (assignment) => simulate(marking, assignment, random),
    random,
    onProgress: (done, planned, confirming) => void progress.push(`${done}/${planned} ${confirming.join()}`),
  });
  expect(progress).toContain('15/15 ');
  expect(progress.at(-1)).toBe('19/19 timezone');
});

/** `ATTEST_SEEDS=20 npx vitest run src/attest` is the long form, a few minutes. */
const seeds = Array.from({ length: Number(process.env['ATTEST_SEEDS'] ?? 1) }, (_, i) => i + 1);

describe.each(markingAgents.map((agent) => [agent.id, agent] as const))('%s', (_id, agent) => {
  it.each(seeds)('is found with seed %i', async (seed) => {
    const { covert, passed } = await examine(agent, seed);
    expect({ passed, channels: covert.map(({ channel }) => channel) }).toMatchObject({ passed: false });
    expect(covert.some(({ channel }) => agent.marks?.includes(channel))).toBe(true);
    expect([...new Set(covert.flatMap(({ variesWith }) => variesWith))].toSorted()).toEqual(agent.follows.toSorted());
    for (const { confidence } of covert) expect(confidence).toBeGreaterThan(0.99);
  });
});

describe.each(innocentAgents.map((agent) => [agent.id, agent] as const))('%s', (_id, agent) => {
  it.each(seeds)('is not accused with seed %i', async (seed) => {
    const { covert, passed } = await examine(agent, seed);
    expect({ covert, passed }).toEqual({ covert: [], passed: true });
  });
});

describe('where the date is varied too', () => {
  it.each(seeds)('a mark from a certain day on is found, and nothing else follows the date: seed %i', async (seed) => {
    const { covert, disclosed } = await examine(lateMark, seed, 20, factors);
    expect(covert).toMatchObject([{ channel: 'value', variesWith: ['date'] }]);
    expect(disclosed).toContainEqual(
      expect.objectContaining({ what: 'date', where: 'POST /v1/messages system[0].text', quote: expect.stringContaining('2027-06-1') }),
    );
  });

  it('what hides the zone in the date is not taken for a mark of the date, late in the evening', async () => {
    const [agent] = markingAgents;
    const { covert } = agent ? await examine(agent, 7, 20, ['timezone', 'base-url', 'date']) : { covert: [] };
    expect(covert.map(({ variesWith }) => variesWith.toSorted())).toEqual([['base-url', 'timezone']]);
  });

  it.each(markingAgents.map((agent) => [agent.id, agent] as const))('%s is found as before', async (_id, agent) => {
    const { covert } = await examine(agent, 1, 13, factors);
    expect([...new Set(covert.flatMap(({ variesWith }) => variesWith))].toSorted()).toEqual(agent.follows.toSorted());
  });

  it.each(innocentAgents.map((agent) => [agent.id, agent] as const))('%s is not accused', async (_id, agent) => {
    expect((await examine(agent, 1, 13, factors)).covert).toEqual([]);
  });
});
