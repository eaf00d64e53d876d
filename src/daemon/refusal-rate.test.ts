// A program that is refused in a loop: the ledger stays small, no refusal is uncounted, and an allow never goes unrecorded.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryBody } from '../core/index.ts';
import { createRefusalRate } from './refusal-rate.ts';

const limits = { burst: 10, perSecond: 1, flushMs: 3_600_000, places: 3 };

function rig() {
  const entries: EntryBody[] = [];
  const faults: unknown[] = [];
  let nowMs = 0;
  let isFull = false;
  const rate = createRefusalRate(
    async (entry) => {
      if (isFull) throw new Error('full');
      return { index: entries.push(entry) - 1 };
    },
    () => new Date(nowMs),
    (_what, fault) => faults.push(fault),
    limits,
  );
  return {
    rate,
    entries,
    faults,
    pass: (ms: number) => {
      nowMs += ms;
    },
    fill: (full: boolean) => {
      isFull = full;
    },
  };
}

const refused = (host: string, session = 's'): EntryBody => ({
  action: 'http.request',
  session,
  host,
  port: 443,
  path: '/x',
  decision: 'deny',
  reason: 'not allowed',
});
const allowed: EntryBody = { action: 'http.request', session: 's', host: 'good.example', port: 443, decision: 'allow' };

/** How many refusals the entries stand for. */
const refusalsIn = (entries: readonly EntryBody[]): number =>
  entries.filter(({ decision }) => decision === 'deny').reduce((sum, { detail }) => sum + Number(detail?.['refusals'] ?? 1), 0);

describe('refusals in a loop', () => {
  it('a burst is recorded one by one, what follows is counted by place', async () => {
    const { rate, entries } = rig();
    for (let i = 0; i < 1000; i++) await rate.append(refused(i % 2 ? 'a.example' : 'b.example'));
    expect(entries).toHaveLength(11);
    expect(entries[10]?.detail).toEqual({ furtherRefusals: 'are counted' });
    await rate.finish('s');
    expect(entries.slice(11)).toEqual([
      expect.objectContaining({ host: 'a.example', decision: 'deny', detail: { refusals: 495, countedFrom: 10 } }),
      expect.objectContaining({ host: 'b.example', decision: 'deny', detail: { refusals: 494, countedFrom: 10 } }),
    ]);
    expect(refusalsIn(entries)).toBe(1000);
  });

  it('names made up for each request do not make it longer', async () => {
    const { rate, entries } = rig();
    for (let i = 0; i < 5000; i++) await rate.append(refused(`${i}.evil.example`));
    await rate.finish('s');
    expect(entries).toHaveLength(limits.burst + 1 + limits.places + 1);
    expect(entries.at(-1)).toMatchObject({ reason: 'refused at further places' });
    expect(entries.at(-1)?.host).toBeUndefined();
    expect(refusalsIn(entries)).toBe(5000);
  });

  it('the answer to a counted one names the entry that it is counted from', async () => {
    const { rate } = rig();
    const indices = [];
    for (let i = 0; i < 20; i++) indices.push((await rate.append(refused('a.example'))).index);
    expect(indices.slice(10)).toEqual(Array(10).fill(10));
  });

  it('another session is not counted with it, and time brings entries back', async () => {
    const { rate, entries, pass } = rig();
    for (let i = 0; i < 50; i++) await rate.append(refused('a.example'));
    await rate.append(refused('a.example', 'other'));
    expect(entries.at(-1)).toMatchObject({ session: 'other' });
    const before = entries.length;
    pass(3000);
    for (let i = 0; i < 10; i++) await rate.append(refused('a.example'));
    expect(entries.length).toBe(before + 3);
  });

  it('a ledger that is full refuses and counts nothing twice', async () => {
    const { rate, entries, fill, faults } = rig();
    for (let i = 0; i < 10; i++) await rate.append(refused('a.example'));
    fill(true);
    await expect(rate.append(refused('a.example'))).rejects.toThrow('full');
    await expect(rate.append(allowed)).rejects.toThrow('full');
    fill(false);
    await rate.append(refused('a.example'));
    await rate.finish('s');
    expect(refusalsIn(entries)).toBe(11);
    expect(faults).toEqual([]);
  });

  it('whatever comes in whatever order: every allow has its own entry, every refusal is in a count', async () => {
    const step = fc.oneof(
      fc.record({ host: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), session: fc.constantFrom('s', 't') }),
      fc.constant('allow' as const),
      fc.constant('flush' as const),
      fc.nat(5000),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        const { rate, entries, pass } = rig();
        const indices: number[] = [];
        for (const one of steps) {
          if (typeof one === 'number') pass(one);
          else if (one === 'flush') await rate.finish('s');
          else if (one === 'allow') indices.push((await rate.append(allowed)).index);
          else await rate.append(refused(one.host, one.session));
        }
        await rate.finishAll();
        expect(new Set(indices).size).toBe(steps.filter((one) => one === 'allow').length);
        for (const index of indices) expect(entries[index]).toEqual(allowed);
        expect(refusalsIn(entries)).toBe(steps.filter((one) => typeof one === 'object').length);
      }),
    );
  });
});
