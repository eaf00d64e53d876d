// The writer: what it acknowledges is durable, in order, once; what it cannot write it refuses, and it stays refused.
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import timers from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entry, EntryBody } from '../core/index.ts';
import { type Disk, disk } from './disk.ts';
import { type Ledger, openLedger, proveEntry, readEntries, readEntry, readEntryBytes, verifyLedger, verifyProof } from './index.ts';
import { openLedgerOn } from './ledger.ts';

let root: string;
const now = (): Date => new Date('2026-01-02T03:04:05.678Z');

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'ledger-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function options(name = 'ledger'): Parameters<typeof openLedger>[0] {
  return { dir: path.join(root, name), keyFile: path.join(root, `${name}.key`), origin: 'log.example/test', now };
}

async function all(dir: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of readEntries(dir)) entries.push(entry);
  return entries;
}

const deny: EntryBody = {
  action: 'net.connect',
  session: 's1',
  class: 'other',
  host: 'evil.example',
  port: 443,
  decision: 'deny',
  policies: ['p1'],
};

it('an acknowledged entry is on disk, signed, and comes back as it was given', async () => {
  const ledger = await openLedger(options());
  expect([ledger.size, ledger.rootHash()]).toEqual([0, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=']);
  const entry = await ledger.append(deny);
  const expected = { ...deny, index: 0, time: '2026-01-02T03:04:05.678Z' };
  expect(entry).toEqual(expected);
  expect(await readEntry(options().dir, 0)).toEqual(expected);
  expect(await verifyLedger({ dir: options().dir, vkey: ledger.vkey })).toEqual({
    ok: true,
    size: 1,
    root: ledger.rootHash(),
    checkpoints: 1,
  });
  // Others are served it a moment later.
  await expect.poll(() => readFile(path.join(options().dir, 'checkpoint'), 'utf8')).toBe(ledger.checkpoint());
  await ledger.close();
});

it('an entry can be read, proved and verified before it is published, and others are served it in bounded time', async () => {
  const ledger = await openLedger(options());
  const published = (): Promise<string> => readFile(path.join(options().dir, 'checkpoint'), 'utf8');
  let ahead = 0;
  for (let i = 0; i < 40; i += 1) {
    const { index } = await ledger.append({ ...deny, port: i });
    if ((await published()) !== ledger.checkpoint()) ahead += 1;
    expect(await readEntry(options().dir, index)).toMatchObject({ index, port: i });
  }
  expect(ahead).toBeGreaterThan(0);
  expect(verifyProof(await proveEntry(options().dir, 39), await readEntryBytes(options().dir, 39), ledger.vkey)).toMatchObject({
    ok: true,
  });
  expect(await verifyLedger({ dir: options().dir, checkpoint: ledger.checkpoint() })).toMatchObject({ ok: true, size: 40 });
  await expect.poll(published, { timeout: 2000 }).toBe(ledger.checkpoint());
  await ledger.close();
});

it('the journal that grew under load is short again when there is time', async () => {
  const ledger = await openLedger(options());
  const size = async (): Promise<number> => (await stat(path.join(options().dir, '.state', 'journal'))).size;
  const long = { ...deny, path: `/${'x'.repeat(1000)}` };
  await Promise.all(Array.from({ length: 2000 }, () => ledger.append(long)));
  expect(await size()).toBeGreaterThan(1 << 20);
  await expect.poll(size, { timeout: 5000 }).toBeLessThanOrEqual(1 << 20);
  expect((await ledger.append(deny)).index).toBe(2000);
  expect(await verifyLedger({ dir: options().dir })).toMatchObject({ ok: true, size: 2001 });
  await ledger.close();
});

describe('the journal of a writer that was killed', () => {
  const journal = (): string => path.join(options().dir, '.state', 'journal');
  const unlocked = (): string => path.join(root, 'copy');
  /** A copy of a log whose last entries stand in the journal alone. */
  beforeEach(async () => {
    const ledger = await openLedger(options());
    await ledger.append({ ...deny, port: 0 });
    await expect.poll(() => readFile(path.join(options().dir, 'checkpoint'), 'utf8')).toBe(ledger.checkpoint());
    for (let i = 1; i < 4; i += 1) await ledger.append({ ...deny, port: i });
    expect((await stat(journal())).size).toBeGreaterThan(0);
    await cp(options().dir, unlocked(), { recursive: true });
    await ledger.close();
  });

  it('is read, verified and, by the next open, published', async () => {
    expect((await all(unlocked())).map(({ port }) => port)).toEqual([0, 1, 2, 3]);
    expect(await verifyLedger({ dir: unlocked() })).toMatchObject({ ok: true, size: 4 });
    const again = await openLedger({ ...options(), dir: unlocked() });
    expect(await readFile(path.join(unlocked(), 'checkpoint'), 'utf8')).toBe(again.checkpoint());
    expect((await again.append({ ...deny, port: 4 })).index).toBe(4);
    await again.close();
  });

  it.each<[string, (bytes: Buffer) => Buffer, number]>([
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 5), 3],
    ['with an altered entry', (bytes) => Buffer.from(bytes.toString('latin1').replace('evil', 'good'), 'latin1'), 1],
    ['with an altered signature', (bytes) => Buffer.from(bytes).fill(0x41, bytes.length - 20, bytes.length - 2), 3],
    ['with its last record twice', (bytes) => Buffer.concat([bytes, bytes.subarray(bytes.lastIndexOf('{"action"') - 10)]), 4],
    // What is left of the group before, when a shorter one was written over it.
    ['with older bytes behind it', (bytes) => Buffer.concat([bytes, bytes.subarray(100)]), 4],
    ['of nonsense', () => Buffer.alloc(5000, 0xff), 1],
  ])('%s counts only as far as it was signed', async (_name, damage, size) => {
    const file = path.join(unlocked(), '.state', 'journal');
    await writeFile(file, damage(await readFile(file)));
    expect((await all(unlocked())).length).toBe(size);
    expect(await verifyLedger({ dir: unlocked() })).toMatchObject({ ok: true, size });
    // The key remembers what it signed on this machine.
    await rm(`${options().keyFile}.head`);
    await (await openLedger({ ...options(), dir: unlocked() })).close();
    expect(await verifyLedger({ dir: unlocked() })).toMatchObject({ ok: true, size });
  });

  it('taken away is a rollback to whoever has the key', async () => {
    await rm(path.join(unlocked(), '.state', 'journal'));
    await expect(openLedger({ ...options(), dir: unlocked() })).rejects.toMatchObject({
      code: 'LEDGER_CORRUPT',
      message: expect.stringContaining('rolled back'),
    });
  });
});

it('the key is 0600, outside the published directory, and the verifier key is inside', async () => {
  const ledger = await openLedger(options());
  await ledger.close();
  expect((await stat(options().keyFile)).mode & 0o777).toBe(0o600);
  expect((await readFile(path.join(options().dir, 'log.vkey'), 'utf8')).trim()).toBe(ledger.vkey);
  expect(await readFile(path.join(options().dir, 'log.vkey'), 'utf8')).not.toContain('PRIVATE');
  await expect(openLedger({ ...options(), keyFile: path.join(options().dir, 'k') })).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
});

it('appends that come together share a checkpoint and keep their order', async () => {
  const signed: string[] = [];
  const counting: Disk = {
    ...disk,
    rename: async (from, to) => void (await disk.rename(from, to), signed.push(await readFile(to, 'utf8'))),
  };
  const ledger = await openLedgerOn(counting, options());
  const appended = await Promise.all(Array.from({ length: 1000 }, (_, i) => ledger.append({ ...deny, path: `/${i}` })));
  await ledger.close();
  expect(appended.map(({ index }) => index)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect((await all(options().dir)).map((entry) => entry.path)).toEqual(appended.map((_, i) => `/${i}`));
  expect(signed.length).toBeLessThan(10);
});

it('a log goes on where it stopped, at every width around a full tile', async () => {
  for (const count of [1, 254, 1, 1, 255, 1, 300]) {
    const ledger = await openLedger(options());
    await Promise.all(Array.from({ length: count }, () => ledger.append(deny)));
    await ledger.close();
    expect(await verifyLedger({ dir: options().dir })).toMatchObject({ ok: true, size: ledger.size, root: ledger.rootHash() });
  }
  // Partial forms of full tiles are gone, those of the last one are kept as long as a checkpoint named them.
  expect((await readdir(path.join(options().dir, 'tile/entries'))).toSorted()).toEqual(['000', '001', '002', '003.p']);
});

it('an open names the log that exists, not the one it is asked for', async () => {
  const first = await openLedger(options());
  await first.append(deny);
  await first.close();
  const second = await openLedger({ ...options(), origin: 'elsewhere.example' });
  await second.append(deny);
  await second.close();
  expect(second.vkey).toBe(first.vkey);
  expect(await verifyLedger({ dir: options().dir, checkpoint: first.checkpoint() })).toMatchObject({ ok: true, size: 2, checkpoints: 2 });
});

it('there is one writer', async () => {
  const ledger = await openLedger(options());
  await expect(openLedger(options())).rejects.toMatchObject({ code: 'LEDGER_APPEND', message: 'another process is writing this ledger' });
  await ledger.append(deny);
  await ledger.close();
  await (await openLedger(options())).close();
});

describe('an entry', () => {
  it('that is too long keeps the beginning, length and hash of its long fields', async () => {
    const ledger = await openLedger(options());
    const entry = await ledger.append({ ...deny, path: `/${'x'.repeat(70_000)}` });
    await ledger.close();
    expect(entry.path).toMatch(/^\/x{127}… \(70001 bytes, sha256:[0-9a-f]{64}\)$/);
    expect(await readEntry(options().dir, 0)).toEqual(entry);
  });

  it.each<[string, Partial<Record<keyof EntryBody, unknown>>]>([
    ['a lone surrogate', { host: '\ud800' }],
    ['a negative count', { bytesOut: -1 }],
    ['a fraction', { bytesIn: 1.5 }],
    ['a detail that is an object', { detail: { deep: {} } }],
    ['a hash that is none', { bodySha256: 'abc' }],
    ['too much to shorten', { policies: Array.from({ length: 20_000 }, () => 'policy') }],
  ])('with %s is refused, and the log goes on', async (_name, wrong) => {
    const ledger = await openLedger(options());
    await expect(ledger.append({ ...deny, ...wrong } as EntryBody)).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
    expect((await ledger.append(deny)).index).toBe(0);
    await ledger.close();
  });
});

describe('a disk that fails', () => {
  /** A disk on which `step` fails from the moment that the returned `fill` is called. */
  function failing(step: keyof Disk): { readonly disk: Disk; fill(isFull: boolean): void } {
    let full = false;
    const refuse = async (): Promise<never> => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    return {
      disk: new Proxy(disk, { get: (target, name: keyof Disk) => (full && name === step ? refuse : target[name]) }),
      fill: (isFull) => void (full = isFull),
    };
  }

  it('under the journal: that append and all behind it are refused until the log is opened again', async () => {
    const faulty = failing('extend');
    const ledger = await openLedgerOn(faulty.disk, options());
    await ledger.append(deny);
    const before = ledger.size;
    faulty.fill(true);
    const first = ledger.append(deny);
    const settled = Promise.allSettled([first, ledger.append(deny), first.catch(() => ledger.append(deny))]);
    expect((await settled).map((result) => (result.status === 'rejected' ? result.reason.code : result.status))).toEqual(
      Array(3).fill('LEDGER_APPEND'),
    );
    faulty.fill(false);
    await expect(ledger.append(deny)).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
    expect(ledger.size).toBe(before);
    await ledger.close();
    const again = await openLedger(options());
    await again.append(deny);
    await again.close();
    expect(await verifyLedger({ dir: options().dir })).toMatchObject({ ok: true, size: again.size });
  });

  it.each<keyof Disk>(['write', 'syncDirectory', 'rename', 'makeDirectory'])(
    'in %s, while it publishes: what was acknowledged stays, and all behind it is refused until the log is opened again',
    async (step) => {
      const faulty = failing(step);
      const ledger = await openLedgerOn(faulty.disk, options());
      faulty.fill(true);
      const acknowledged = await ledger.append(deny);
      await expect
        .poll(() => ledger.append(deny).then(String, (fault: Error) => fault.message), { timeout: 2000 })
        .toContain('takes no more');
      faulty.fill(false);
      await expect(ledger.append(deny)).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
      await ledger.close();
      expect(await readEntry(options().dir, 0)).toEqual(acknowledged);
      const again = await openLedger(options());
      expect(again.size).toBe(ledger.size);
      await again.append(deny);
      await again.close();
      expect(await verifyLedger({ dir: options().dir })).toMatchObject({ ok: true, size: again.size });
    },
  );

  it('a directory that cannot be written is refused at once', async () => {
    await writeFile(path.join(root, 'file'), '');
    await expect(openLedger({ ...options(), dir: path.join(root, 'file/ledger') })).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
    await expect(openLedger({ ...options(), dir: path.join(root, 'file') })).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
    const denied: Disk = { ...disk, probe: async () => Promise.reject(new Error('read-only file system')) };
    await expect(openLedgerOn(denied, options())).rejects.toMatchObject({ code: 'LEDGER_APPEND' });
  });
});

describe('an open refuses', () => {
  beforeEach(async () => {
    const ledger = await openLedger(options());
    for (let i = 0; i < 5; i += 1) await ledger.append(deny);
    await ledger.close();
  });
  const inDir = (name: string): string => path.join(options().dir, name);

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'an altered entry',
      async () =>
        writeFile(
          inDir('tile/entries/000.p/5'),
          (await readFile(inDir('tile/entries/000.p/5'), 'latin1')).replace('evil', 'good'),
          'latin1',
        ),
      'LEDGER_CORRUPT',
    ],
    ['an altered hash', async () => writeFile(inDir('tile/0/000.p/5'), Buffer.alloc(160)), 'LEDGER_CORRUPT'],
    ['a missing tile', () => rm(inDir('tile/0/000.p/5')), 'LEDGER_CORRUPT'],
    ['a missing checkpoint', () => rm(inDir('checkpoint')), 'LEDGER_CORRUPT'],
    [
      'a checkpoint of an older size',
      async () => writeFile(inDir('checkpoint'), (await readFile(inDir('checkpoint'), 'utf8')).replace('\n5\n', '\n4\n')),
      'LEDGER_CORRUPT',
    ],
    ['a ledger that has vanished while its key remembers', () => rm(options().dir, { recursive: true }), 'LEDGER_CORRUPT'],
    ['a missing key', () => rm(options().keyFile), 'LEDGER_CORRUPT'],
    ['another key', () => writeFile(inDir('log.vkey'), 'x+00000000+AQ==\n'), 'LEDGER_CORRUPT'],
    ['a damaged key', () => writeFile(options().keyFile, 'PRIVATE+KEY+nonsense\n'), 'LEDGER_APPEND'],
    ['a key that others can read', () => chmod(options().keyFile, 0o644), 'LEDGER_APPEND'],
    [
      'a directory where the checkpoint was',
      async () => {
        await rm(inDir('checkpoint'));
        await mkdir(inDir('checkpoint'));
      },
      'LEDGER_CORRUPT',
    ],
  ])('%s', async (_name, damage, code) => {
    await damage();
    await expect(openLedger(options())).rejects.toMatchObject({ code });
  });
});

it('every entry has a proof that only its own bytes fulfil', async () => {
  const ledger: Ledger = await openLedger(options());
  await Promise.all(Array.from({ length: 300 }, (_, i) => ledger.append({ ...deny, port: i })));
  await ledger.close();
  for (const index of [0, 1, 255, 256, 299]) {
    const proof = await proveEntry(options().dir, index);
    const bytes = await readEntryBytes(options().dir, index);
    expect(verifyProof(proof, bytes, ledger.vkey)).toEqual({ ok: true, index, size: 300 });
    expect(verifyProof(proof, Buffer.from('other'), ledger.vkey)).toMatchObject({ ok: false });
    expect(verifyProof(proof.replace(`index ${index}`, `index ${index + 1}`), bytes, ledger.vkey)).toMatchObject({ ok: false });
    expect(verifyProof(proof.replace('tlog-proof@v1\n', 'tlog-proof@v1\nextra Zm9v\n'), bytes, ledger.vkey)).toMatchObject({ ok: true });
    expect(verifyProof(proof.replace('\n300\n', '\n301\n'), bytes, ledger.vkey)).toMatchObject({ ok: false });
  }
  await expect(proveEntry(options().dir, 300)).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
});

it('a log that is being written verifies all the time', async () => {
  const ledger = await openLedger(options());
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      await Promise.all(Array.from({ length: 7 }, () => ledger.append(deny)));
      // The pace of a disk, also where temporary files lie in memory: a log that grows without bound takes ever longer to verify.
      await timers.setTimeout(2);
    }
  })();
  for (let i = 0; i < 25; i += 1) {
    const { ok, reason } = await verifyLedger({ dir: options().dir, checkpoint: ledger.checkpoint() });
    expect({ ok, reason }).toEqual({ ok: true, reason: undefined });
  }
  isOver = true;
  await writing;
  await ledger.close();
});
