// Crashes: a real one (SIGKILL at random moments) and a simulated power cut after every single step of the writer. An acknowledged entry
// is never lost, an unfinished group never shows, and the log goes on.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Disk, disk } from './disk.ts';
import { openLedger, readEntries, verifyLedger } from './index.ts';
import { openLedgerOn } from './ledger.ts';
import { inMemory } from './testdata/in-memory.ts';

let root: string;
const now = (): Date => new Date('2026-01-02T03:04:05.678Z');
const body = { action: 'net.connect', decision: 'deny' } as const;

/** The power cuts are made here, step by step: the device beneath says nothing to them. */
const madeUp = inMemory() ?? os.tmpdir();

async function makeRoot(parent: string): Promise<void> {
  root = await mkdtemp(path.join(parent, 'ledger-crash-'));
}
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function at(name: string): Parameters<typeof openLedger>[0] {
  return { dir: path.join(root, name, 'ledger'), keyFile: path.join(root, name, 'key'), origin: 'log.example/test', now };
}

async function hostsIn(dir: string): Promise<(string | undefined)[]> {
  const hosts: (string | undefined)[] = [];
  for await (const entry of readEntries(dir)) hosts.push(entry.host);
  return hosts;
}

class PowerCut extends Error {}

/**
 * A disk whose power fails after `steps` steps. A write in progress is torn in the middle; names in directories that were never synced
 * are lost afterwards when `losesNames`, and kept when not: a real file system may do either.
 */
function failingAfter(steps: number, losesNames = true): { disk: Disk; loseNames(): Promise<void>; taken(): number } {
  let left = steps;
  let taken = 0;
  const unsynced = new Set<string>();
  const step = (): void => {
    if (left === 0) throw new PowerCut();
    left -= 1;
    taken += 1;
  };
  return {
    taken: () => taken,
    async loseNames() {
      for (const file of unsynced) await rm(file, { force: true });
    },
    disk: {
      async makeDirectory(directory) {
        step();
        await disk.makeDirectory(directory);
      },
      async write(file, bytes) {
        if (left === 0) {
          await writeFile(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
          unsynced.add(file);
        }
        step();
        await disk.write(file, bytes);
        unsynced.add(file);
      },
      async extend(file, position, bytes) {
        // A write in place may be torn anywhere; half is as good as any place.
        if (left === 0) await disk.extend(file, position, bytes.subarray(0, Math.floor(bytes.length / 2)));
        step();
        await disk.extend(file, position, bytes);
      },
      async empty(file) {
        step();
        // Nobody waits for it: the power cut may bring the old contents back.
        if (!losesNames) await disk.empty(file);
      },
      async syncDirectory(directory) {
        step();
        for (const file of unsynced) if (path.dirname(file) === directory) unsynced.delete(file);
      },
      async rename(from, to) {
        step();
        unsynced.delete(from);
        await disk.rename(from, to);
      },
      async remove(target) {
        step();
        await disk.remove(target);
      },
      probe: (directory) => disk.probe(directory),
    },
  };
}

describe.each([
  ['its first entries', 0, 3],
  ['a group inside a tile', 10, 5],
  ['a group that fills a tile', 250, 6],
  ['a group over a tile boundary', 253, 300],
])('a power cut while writing %s', (_name, before, count) => {
  beforeEach(() => makeRoot(madeUp));

  it.each([true, false])('after every step, unsynced names lost: %s', async (losesNames) => {
    const start = at('start');
    const prepared = await openLedger(start);
    await Promise.all(Array.from({ length: before }, (_, i) => prepared.append({ ...body, host: `h${i}` })));
    await prepared.close();

    let isFinished = false;
    for (let steps = 0; !isFinished; steps += 1) {
      const name = `cut-${steps}`;
      await cp(path.join(root, 'start'), path.join(root, name), { recursive: true });
      const cut = failingAfter(steps, losesNames);
      const acknowledged: number[] = [];
      try {
        const ledger = await openLedgerOn(cut.disk, at(name));
        const group = await Promise.allSettled(Array.from({ length: count }, (_, i) => ledger.append({ ...body, host: `h${before + i}` })));
        for (const result of group) if (result.status === 'fulfilled') acknowledged.push(result.value.index);
        await ledger.close();
        isFinished = cut.taken() < steps;
      } catch {
        // The power failed before the log was open.
      }
      if (losesNames) await cut.loseNames();

      expect(await verifyLedger({ dir: at(name).dir })).toMatchObject({ ok: true });
      const again = await openLedger(at(name));
      await again.append({ ...body, host: `h${again.size}` });
      await again.close();
      const hosts = await hostsIn(at(name).dir);
      expect(hosts).toEqual(hosts.map((_, i) => `h${i}`));
      expect(hosts.length - 1).toBeGreaterThanOrEqual(before + acknowledged.length);
      expect([before, before + count]).toContain(hosts.length - 1);
      expect(await verifyLedger({ dir: at(name).dir })).toMatchObject({ ok: true, size: hosts.length });
      expect(await strayFiles(at(name).dir, hosts.length)).toEqual([]);
      await rm(path.join(root, name), { recursive: true });
      expect(steps).toBeLessThan(100);
    }
  });
});

/** Partial bundles of the last tile that no checkpoint can have named. */
async function strayFiles(dir: string, size: number): Promise<string[]> {
  const last = path.join(dir, 'tile/entries', `${String(Math.floor(size / 256)).padStart(3, '0')}.p`);
  const names = await readdir(last).catch(() => []);
  return names.filter((name) => Number(name) > size % 256);
}

it('a power cut while the log is made leaves nothing or an empty log', async () => {
  await makeRoot(madeUp);
  let isFinished = false;
  for (let steps = 0; !isFinished; steps += 1) {
    const name = `new-${steps}`;
    await mkdir(path.join(root, name));
    const cut = failingAfter(steps);
    try {
      await (await openLedgerOn(cut.disk, at(name))).close();
      isFinished = cut.taken() < steps;
    } catch {
      // The power failed.
    }
    await cut.loseNames();
    const again = await openLedger(at(name));
    await again.append({ ...body, host: 'h0' });
    await again.close();
    expect(await verifyLedger({ dir: at(name).dir })).toMatchObject({ ok: true, size: 1 });
    expect(steps).toBeLessThan(50);
  }
});

it('kill -9 at random moments: every entry that was acknowledged is there', async () => {
  await makeRoot(os.tmpdir());
  const place = at('killed');
  const acknowledged = new Set<number>();
  for (let round = 0; round < 6; round += 1) {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'testdata', 'append-forever.ts'), place.dir, place.keyFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Not a fixed time: after so many acknowledgements, which falls into another step of the writer each round.
    await readUntil(child, acknowledged, 20 + round * 37);
    child.kill('SIGKILL');
    await once(child, 'close');
    const { ok, size } = await verifyLedger({ dir: place.dir });
    expect({ ok, isWhole: size >= acknowledged.size }).toEqual({ ok: true, isWhole: true });
  }
  const indexes: (string | undefined)[] = await hostsIn(place.dir);
  for (const index of acknowledged) expect(indexes[index]).toBe(`h${index}`);
  expect(acknowledged.size).toBeGreaterThan(200);
});

async function readUntil(child: ChildProcess, acknowledged: Set<number>, count: number): Promise<void> {
  if (child.stdout === null) return;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.add(Number(line));
    seen += 1;
    if (seen >= count) return;
  }
}
