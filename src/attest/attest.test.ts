// Every way to mark is found, every innocent agent is left alone, seed after seed.
import { describe, expect, it } from 'vitest';
import { type Attestation, attest } from './attest.ts';
import type { SyntheticAgent } from './synthetic-agents.ts';
import { simulate } from './synthetic-agents.ts';
import { innocentAgents } from './synthetic-innocents.ts';
import { markingAgents } from './synthetic-marks.ts';

/** A small generator with a seed: Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function examine(agent: SyntheticAgent, seed: number, hour?: number): Promise<Attestation> {
  const random = seeded(seed);
  return attest({ run: async (assignment) => simulate(agent, assignment, random, hour), random });
}

it('three tokens of the date line, late in the evening when the day is another one elsewhere', async () => {
  const agent = markingAgents.find(({ id }) => id === 'apostrophe and date separator');
  if (agent === undefined) throw new Error('the agent is missing');
  const { covert, disclosed } = await examine(agent, 7, 20);
  expect(covert.map(({ where, channel, tokens }) => ({ where, channel, tokens: tokens.toSorted() }))).toEqual([
    { where: 'POST /v1/messages system[0].text', channel: 'value', tokens: ['"\'" U+0027 → "\u02bc" U+02BC', '"-" U+002D → "/" U+002F'] },
  ]);
  expect(disclosed).toContainEqual({ what: 'timezone', where: 'POST /v1/messages system[0].text', to: 'model' });
});

const seeds = Array.from({ length: Number(process.env['ATTEST_SEEDS'] ?? 3) }, (_, i) => i + 1);

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
