// Made-up agents for the tests of this room: each marks its surroundings in one way, or varies in an ordinary, innocent way. They run in
// memory and produce what an agent would put on the wire.
import type { EgressClass } from '../core/index.ts';
import { type Assignment, clockAheadMs, type Factor, factors, levelOf } from './factors.ts';
import type { ObservedHello, ObservedRequest, RunRecord } from './record.ts';

export interface Surroundings {
  readonly assignment: Assignment;
  /** The id of the value that a factor has. */
  is(factor: Factor, part: string): boolean;
  value(factor: Factor): string;
  readonly timezone: string;
  readonly locale: string;
  readonly now: Date;
  random(): number;
}

/** A request that is about to be sent. */
interface Draft {
  headers: [string, string][];
  target: string;
  body: { [key: string]: unknown };
  encode: (body: { [key: string]: unknown }) => Buffer;
  host: string;
  class: EgressClass;
  waitMs: number;
  isNewConnection: boolean;
  times: number;
  hello: ObservedHello;
}

export interface SyntheticAgent {
  readonly id: string;
  /** `undefined`: innocent. Else the channels by which it may be found. */
  readonly marks: readonly ('value' | 'wire' | 'statistical' | 'timing')[] | undefined;
  /** Which factors the mark follows. */
  readonly follows: readonly Factor[];
  change(draft: Draft, surroundings: Surroundings, turn: number): void;
  /** Requests besides the model calls. */
  aside?(surroundings: Surroundings): readonly Partial<Draft>[];
}

const system = (s: Surroundings): string =>
  [
    'You are a coding agent. Work carefully and check what you did.',
    "Don't guess; it's better to look.",
    'Start with the plan, then the change, then the test.',
    `Working directory: /work/${s.value('directory')}`,
    'Platform: linux',
    `Today's date is ${isoDay(s)}.`,
    'The café is open.',
    'Use the tools that you are given.',
  ].join('\n');

const tools = ['Bash', 'Edit', 'Glob', 'Read', 'Write'].map((name) => ({
  name,
  description: `Runs ${name}. Be careful with it.`,
  input_schema: { type: 'object', properties: { value: { type: 'string' } } },
}));

export function isoDay({ now, timezone }: Surroundings): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: timezone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(now);
}

export function hex(random: () => number, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
}

export function uuid(random: () => number): string {
  return `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)}`;
}

function draftFor(s: Surroundings, turn: number, runId: string): Draft {
  const history = Array.from({ length: turn * 2 + 1 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: [{ type: 'text', text: i === 0 ? 'Create a file that says hello.' : `Step ${i}: done.` }],
  }));
  return {
    headers: [
      ['Host', s.value('base-url')],
      ['User-Agent', 'synthetic-agent/1.4.2 (linux)'],
      ['Content-Type', 'application/json'],
      ['Accept', 'application/json'],
      ['x-request-id', uuid(s.random)],
      ['x-api-key', s.value('login')],
    ],
    target: '/v1/messages?beta=true&stream=1',
    body: {
      model: 'some-model-4',
      max_tokens: 8192,
      temperature: 1,
      system: [{ type: 'text', text: system(s) }],
      tools: structuredClone(tools),
      messages: history,
      metadata: { user_id: `user_${runId}` },
    },
    encode: (body) => Buffer.from(JSON.stringify(body)),
    host: s.value('base-url'),
    class: 'model',
    waitMs: 20 + s.random() * 12,
    isNewConnection: turn === 0,
    times: 1,
    hello: {
      host: s.value('base-url'),
      protocols: ['h2', 'http/1.1'],
      version: '0303',
      suites: ['1301', '1302', '1303', 'c02b', 'c02f'],
      extensions: ['0000', '0010', '002b', '000a', '000d', '0033'],
      groups: ['001d', '0017'],
      signatures: ['0403', '0804'],
      versions: ['0304', '0303'],
    },
  };
}

/** @param hour of the day, UTC: late in the evening the next day has begun elsewhere */
export function simulate(agent: SyntheticAgent, assignment: Assignment, random: () => number, hour = 13): RunRecord {
  const startedAt = new Date(Date.UTC(2026, 10, 22, hour, 5) + random() * 60_000 + clockAheadMs(assignment));
  const value = (factor: Factor): string => levelOf(factor, assignment).id;
  const s: Surroundings = {
    assignment,
    value,
    is: (factor, part) => value(factor).includes(part),
    timezone: value('timezone'),
    locale: value('locale').split('.')[0]?.replace('_', '-') ?? 'en-US',
    now: startedAt,
    random,
  };
  const requests: ObservedRequest[] = [];
  const hellos: ObservedHello[] = [];
  const runId = hex(random, 32);
  let at = 0;
  let connection = 0;
  const send = (draft: Draft): void => {
    for (let i = 0; i < draft.times; i += 1) {
      at += draft.waitMs;
      if (draft.isNewConnection) {
        connection += 1;
        hellos.push(draft.hello);
      }
      const body = draft.encode(draft.body);
      const rawHeaders = [...draft.headers, ['Content-Length', String(body.length)] as const].flat();
      const { host, target, class: kind } = draft;
      requests.push({
        at,
        answeredAt: at + 5,
        connection,
        host,
        port: 80,
        method: 'POST',
        target,
        httpVersion: '1.1',
        rawHeaders,
        body,
        class: kind,
      });
      at += 5;
    }
  };
  for (const aside of agent.aside?.(s) ?? []) send({ ...draftFor(s, 0, runId), body: {}, ...aside });
  for (let turn = 0; turn < 3; turn += 1) {
    const draft = draftFor(s, turn, runId);
    agent.change(draft, s, turn);
    send(draft);
  }
  const stated = Object.fromEntries(factors.map((factor) => [factor, levelOf(factor, assignment).stated]));
  const endedAt = new Date(startedAt.getTime() + at);
  return { assignment, stated, startedAt, endedAt, timezone: s.timezone, locale: s.locale, requests, hellos };
}

/** Replaces in the text of the system prompt. */
export function inSystem(draft: Draft, from: string | RegExp, to: string): void {
  const part = Array.isArray(draft.body['system']) ? draft.body['system'][0] : undefined;
  if (typeof part?.text === 'string') part.text = part.text.replace(from, to);
}

export function setHeader(draft: Draft, name: string, value: string): void {
  draft.headers = draft.headers.map(([n, v]) => (n.toLowerCase() === name.toLowerCase() ? [n, value] : [n, v]));
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** A small generator with a seed: Mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
