// A disk that fails at any step of the writer, and takes writes again: the log goes on by itself, nothing that was acknowledged is lost, and
// what is not the same log any more stays refused.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import timers from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EntryBody } from '../core/index.ts';
import { type Disk, disk } from './disk.ts';
import { openLedger, type Reopened, readEntries, verifyLedger } from './index.ts';
import type { Ledger } from './ledger.ts';
import { openReopeningOn, type ReopeningOptions } from './reopening.ts';
import { inMemory } from './testdata/in-memory.ts';

const everyMs = 5;
const body = { action: 'net.connect', decision: 'deny' } as const;
const steps = ['makeDirectory', 'write', 'extend', 'empty', 'syncDirectory', 'rename', 'remove'] as const;

let root: string;
let ledger: Ledger;
let reopened: Reopened[];
let faults: string[];
beforeEach(async () => {
  root = await mkdtemp(path.join(inMemory() ?? os.tmpdir(), 'ledger-reopening-'));
  [reopened, faults] = [[], []];
});
afterEach(async () => {
  await ledger.close();
  await rm(root, { recursive: true, force: true });
});

function options(name = 'log'): ReopeningOptions {
  return {
    dir: path.join(root, name, 'ledger'),
    keyFile: path.join(root, name, 'key'),
    origin: 'log.example/test',
    now: () => new Date('2026-01-02T03:04:05.678Z'),
    onFault: (fault) => faults.push(fault),
    onReopened: (how) => reopened.push(how),
  };
}

/** A disk on which every write fails, before or after it was done, once `left` more were made; until `mend`. */
function failing(): { readonly disk: Disk; failAfter(left: number, isDone: boolean): void; mend(): void } {
  let left = Number.POSITIVE_INFINITY;
  let isDone = false;
  const real: Record<string, (...args: never[]) => Promise<void>> = { ...disk };
  const wrapped = steps.map((name) => [
    name,
    async (...args: never[]): Promise<void> => {
      const isFull = left <= 0;
      left -= 1;
      if (!isFull || isDone) await real[name]?.(...args);
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    },
  ]);
  return {
    disk: { ...disk, ...(Object.fromEntries(wrapped) as Partial<Disk>) },
    failAfter: (count, done) => void ([left, isDone] = [count, done]),
    mend: () => void (left = Number.POSITIVE_INFINITY),
  };
}

async function hosts(): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { host } of readEntries(options().dir)) found.push(host);
  return found;
}

const entry = (host: string): EntryBody => ({ ...body, host });
const works = (): Promise<boolean> =>
  ledger.append(entry('after')).then(
    () => true,
    () => false,
  );

describe.each([false, true])('a disk that is full for a while, what failed was done all the same: %s', (isDone) => {
  it.each([...Array(14).keys()])('from the %s. write on: refused while it lasts, then the log goes on', async (left) => {
    const faulty = failing();
    ledger = await openReopeningOn(faulty.disk, options(), everyMs);
    await Promise.all(Array.from({ length: 250 }, (_, i) => ledger.append(entry(`before${i}`))));
    faulty.failAfter(left, isDone);
    const acknowledged: string[] = [];
    // Until it shows: groups of which each fills some of a tile, and publications between them.
    for (let i = 0; ledger.fault === undefined; i += 1) {
      const group = Array.from({ length: 3 }, (_, n) => `under${i}.${n}`);
      const results = await Promise.allSettled(group.map((host) => ledger.append(entry(host))));
      acknowledged.push(...group.filter((_host, n) => results[n]?.status === 'fulfilled'));
      await timers.setTimeout(left === 0 ? 0 : 50);
    }
    await expect(ledger.append(entry('refused'))).rejects.toMatchObject({ code: 'LEDGER_APPEND', hint: expect.stringContaining('room') });
    await timers.setTimeout(5 * everyMs);
    expect([await works(), reopened, faults.length]).toEqual([false, [], 1]);
    expect(ledger.fault).toContain('no space left');

    const kept = ledger.checkpoint();
    faulty.mend();
    await expect.poll(() => ledger.fault, { interval: 5 }).toBeUndefined();
    const { index } = await ledger.append(entry('after'));
    expect(reopened).toEqual([expect.objectContaining({ refused: 2, size: index, fault: expect.stringContaining('no space') as string })]);
    const found = await hosts();
    expect(found.at(-1)).toBe('after');
    expect(found).not.toContain('refused');
    expect(found.slice(250, 250 + acknowledged.length)).toEqual(acknowledged);
    expect(await verifyLedger({ dir: options().dir, checkpoint: kept })).toMatchObject({ ok: true, size: index + 1 });
    await ledger.close();
    const again = await openLedger(options());
    expect(again.size).toBe(index + 1);
    await again.close();
  });
});

describe('a log that is another one when the disk takes writes again stays refused', () => {
  const faulty = failing();
  const inLog = (...names: string[]): string => path.join(root, 'log', ...names);
  beforeEach(async () => {
    ledger = await openReopeningOn(faulty.disk, options(), everyMs);
    await ledger.append(entry('first'));
    await expect.poll(() => readFile(inLog('ledger', 'checkpoint'), 'utf8')).toBe(ledger.checkpoint());
    await cp(inLog(), path.join(root, 'earlier'), { recursive: true });
    await ledger.append(entry('second'));
    await expect.poll(() => readFile(inLog('ledger', 'checkpoint'), 'utf8')).toBe(ledger.checkpoint());
    faulty.failAfter(0, false);
    await expect(ledger.append(entry('third'))).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
  });
  const put = async (name: string): Promise<void> => {
    await rm(inLog(), { recursive: true });
    await cp(path.join(root, name), inLog(), { recursive: true });
  };

  it.each<[string, () => Promise<void>, RegExp]>([
    ['rolled back, with what its key remembers', () => put('earlier'), /rolled back/],
    ['gone', () => rm(inLog('ledger'), { recursive: true }), /lost its checkpoint/],
    ['gone with its key', () => rm(inLog(), { recursive: true }), /signing key of the ledger is missing/],
    [
      'begun anew',
      async () => {
        await (await openLedger(options('new'))).close();
        await put('new');
      },
      /another key/,
    ],
    ['altered', () => writeFile(inLog('ledger', 'tile', '0', '000.p', '2'), Buffer.alloc(64)), /do not lead to its checkpoint/],
  ])('%s', async (_name, replace, why) => {
    await replace();
    faulty.mend();
    await expect.poll(() => ledger.fault, { interval: 5 }).toMatch(why);
    await expect(ledger.append(entry('fourth'))).rejects.toMatchObject({ code: 'LEDGER_APPEND', message: expect.stringMatching(why) });
    expect(reopened).toEqual([]);
  });
});

it('another process that took the log meanwhile has it; when it lets go, its entries are there', async () => {
  const faulty = failing();
  ledger = await openReopeningOn(faulty.disk, options(), everyMs);
  await ledger.append(entry('first'));
  faulty.failAfter(0, false);
  await expect(ledger.append(entry('refused'))).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
  faulty.failAfter(1, false);
  let other: Ledger | undefined;
  // The lock is free between two attempts only once one was made.
  while (other === undefined) other = await openLedger(options()).catch(() => undefined);
  await other.append(entry('theirs'));
  faulty.mend();
  await timers.setTimeout(5 * everyMs);
  expect(await works()).toBe(false);
  await other.close();
  await expect.poll(works, { interval: 5 }).toBe(true);
  expect(await hosts()).toEqual(['first', 'theirs', 'after']);
});

it('a log that is closed while it is refused lets go of it', async () => {
  const faulty = failing();
  ledger = await openReopeningOn(faulty.disk, options(), everyMs);
  await ledger.append(entry('first'));
  faulty.failAfter(0, false);
  await expect(ledger.append(entry('refused'))).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
  await ledger.close();
  faulty.mend();
  await timers.setTimeout(3 * everyMs);
  const again = await openLedger(options());
  expect(again.size).toBe(1);
  await again.close();
});
