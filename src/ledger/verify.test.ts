// What somebody with write access to a copy of the log may do to it, file by file and byte by byte: verification must fail and name the
// first entry concerned.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ledger, openLedger, verifyLedger } from './index.ts';
import { frameEntry, hashAt, parseTilePath, unframeEntries } from './tile.ts';

const size = 523; // two full bundles and a partial one
let root: string;
let original: string;
let early: string;

function open(dir: string, keyFile: string): Promise<Ledger> {
  let tick = 0;
  return openLedger({ dir, keyFile, origin: 'log.example/test', now: () => new Date(Date.UTC(2026, 0, 1) + (tick += 1)) });
}

async function fill(ledger: Ledger, from: number, to: number, word = 'host'): Promise<void> {
  await Promise.all(
    Array.from({ length: to - from }, (_, i) =>
      ledger.append({ action: 'net.connect', host: `${word}-${from + i}.example`, decision: 'deny' }),
    ),
  );
}

async function copy(): Promise<string> {
  const dir = await mkdtemp(path.join(root, 'copy-'));
  await cp(original, dir, { recursive: true });
  return dir;
}

async function filesOf(dir: string): Promise<string[]> {
  const all = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = all.filter((entry) => entry.isFile()).map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
  return files.filter((name) => !name.startsWith('.state')).toSorted();
}

async function edit(file: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(file, change(await readFile(file)));
}

function flip(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x01, at);
    return bytes;
  };
}

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'ledger-verify-'));
  original = path.join(root, 'ledger');
  const ledger = await open(original, path.join(root, 'key'));
  await fill(ledger, 0, 300);
  early = ledger.checkpoint();
  await fill(ledger, 300, 515);
  for (let i = 515; i < size; i += 1) await fill(ledger, i, i + 1);
  await ledger.close();
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

it('an untouched log verifies, and every earlier checkpoint is a prefix of it', async () => {
  const whole = await verifyLedger({ dir: original, checkpoint: early });
  expect(whole).toEqual({ ok: true, size, root: expect.stringMatching(/^.{43}=$/), checkpoints: 2 });
});

it('one flipped byte in any place of any file is found, and the entry named', async () => {
  const names = await filesOf(original);
  expect(names.filter((name) => parseTilePath(name) === undefined)).toEqual(['checkpoint', 'log.vkey']);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.nat(), async (name, pick) => {
      const file = path.join(original, name);
      const before = await readFile(file);
      const at = pick % before.length;
      try {
        await writeFile(file, flip(at)(Buffer.from(before)));
        const { ok, firstBad, reason } = await verifyLedger({ dir: original });
        // The newline after the key is not part of it; everything else is.
        if (name === 'log.vkey' && at === before.length - 1) return;
        expect({ ok, firstBad, reason: typeof reason }).toEqual({ ok: false, firstBad: entryAt(name, before, at), reason: 'string' });
      } finally {
        await writeFile(file, before);
      }
    }),
    { numRuns: 150 },
  );
});

/** The first entry that byte `at` of a file concerns. */
function entryAt(name: string, bytes: Buffer, at: number): number | undefined {
  const tile = parseTilePath(name);
  if (tile === undefined) return undefined;
  if (tile.level !== 'entries') return (tile.index * 256 + Math.floor(at / 32)) * 256 ** tile.level;
  let end = 0;
  let index = tile.index * 256;
  for (const entry of unframeEntries(bytes)) {
    end += 2 + (entry?.length ?? 0);
    if (at < end) return index;
    index += 1;
  }
  return index;
}

describe('an attacker', () => {
  type Attack = (dir: string) => Promise<void>;
  const bundle1 = 'tile/entries/001';
  const swap: Attack = (dir) =>
    edit(path.join(dir, bundle1), (bytes) => {
      const entries = [...unframeEntries(bytes)].map((entry) => frameEntry(entry ?? Buffer.alloc(0)));
      [entries[40], entries[41]] = [entries[41] ?? Buffer.alloc(0), entries[40] ?? Buffer.alloc(0)];
      return Buffer.concat(entries);
    });

  it.each<[string, Attack, { firstBad?: number; reason: RegExp }]>([
    [
      'changes a deny to an allow',
      (dir) => edit(path.join(dir, bundle1), (b) => replaceAt(b, 7, '"deny"', '"denY"')),
      { firstBad: 263, reason: /entry 263 is not the one/ },
    ],
    ['swaps two entries', swap, { firstBad: 296, reason: /entry 296/ }],
    [
      'removes an entry from the middle',
      (dir) => edit(path.join(dir, bundle1), (b) => without(b, 9)),
      { firstBad: 265, reason: /does not hold 256 entries/ },
    ],
    ['deletes a bundle', (dir) => unlink(path.join(dir, bundle1)), { firstBad: 256, reason: /tile\/entries\/001 is missing/ }],
    ['cuts a bundle short', (dir) => truncate(path.join(dir, bundle1), 2000), { firstBad: 273, reason: /does not hold/ }],
    ['empties the last bundle', (dir) => truncate(path.join(dir, 'tile/entries/002.p/11'), 0), { firstBad: 512, reason: /does not hold/ }],
    [
      'adds bytes to a bundle',
      (dir) => edit(path.join(dir, bundle1), (b) => Buffer.concat([b, Buffer.of(0, 1, 0)])),
      { firstBad: 511, reason: /does not hold/ },
    ],
    ['deletes a hash tile', (dir) => unlink(path.join(dir, 'tile/0/001')), { firstBad: 256, reason: /hash of entry 256 is missing/ }],
    [
      'cuts a hash tile short',
      (dir) => truncate(path.join(dir, 'tile/0/001'), 320),
      { firstBad: 266, reason: /hash of entry 266 is missing/ },
    ],
    ['deletes an upper tile', (dir) => unlink(path.join(dir, 'tile/1/000.p/2')), { firstBad: 0, reason: /missing from level 1/ }],
    [
      'changes a hash in a tile',
      (dir) => edit(path.join(dir, 'tile/0/000'), flip(64)),
      { firstBad: 2, reason: /hash tile is altered at entry 2/ },
    ],
    [
      'puts a link in place of a tile',
      async (dir) => {
        await unlink(path.join(dir, bundle1));
        await symlink(path.join(original, bundle1), path.join(dir, bundle1));
      },
      { firstBad: 256, reason: /cannot read/ },
    ],
    [
      'puts a directory in place of a tile',
      async (dir) => {
        await unlink(path.join(dir, bundle1));
        await mkdir(path.join(dir, bundle1));
      },
      { firstBad: 256, reason: /not a regular file/ },
    ],
    ['deletes the checkpoint', (dir) => unlink(path.join(dir, 'checkpoint')), { reason: /checkpoint is missing/ }],
    [
      'changes the size in the checkpoint',
      (dir) => edit(path.join(dir, 'checkpoint'), (b) => replaceAt(b, 0, '523', '522')),
      { reason: /does not verify/ },
    ],
    ['deletes the key', (dir) => unlink(path.join(dir, 'log.vkey')), { reason: /log.vkey is missing/ }],
    ['puts an older checkpoint back', (dir) => writeFile(path.join(dir, 'checkpoint'), early), { firstBad: 300, reason: /rolled back/ }],
  ])('who %s is found out', async (_name, attack, expected) => {
    const dir = await copy();
    await attack(dir);
    const { ok, firstBad, reason } = await verifyLedger({ dir });
    expect({ ok, firstBad, reason }).toEqual({ ok: false, firstBad: expected.firstBad, reason: expect.stringMatching(expected.reason) });
  });

  it('who rolls the whole log back is found by a checkpoint that was saved', async () => {
    const dir = path.join(root, 'short');
    const keyFile = path.join(root, 'short-key');
    const ledger = await open(dir, keyFile);
    await fill(ledger, 0, 20);
    // A copy that is taken while the writer works may lack its last moment.
    await expect.poll(() => readFile(path.join(dir, 'checkpoint'), 'utf8')).toBe(ledger.checkpoint());
    const saved = path.join(root, 'short-saved');
    await cp(dir, saved, { recursive: true });
    await fill(ledger, 20, 30);
    const later = ledger.checkpoint();
    await ledger.close();
    expect(await verifyLedger({ dir: saved })).toMatchObject({ ok: true, size: 20 });
    expect(await verifyLedger({ dir: saved, checkpoint: later })).toMatchObject({
      ok: false,
      size: 20,
      checkpoints: 1,
      firstBad: 20,
      reason: expect.stringMatching(/rolled back/),
    });
    // And the writer, who keeps the head of what it signed beside its key, does not write on.
    await rm(dir, { recursive: true });
    await cp(saved, dir, { recursive: true });
    await expect(open(dir, keyFile)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT', message: expect.stringMatching(/rolled back/) });
  });

  it('who forks the log with the stolen key is found by a checkpoint that was saved', async () => {
    const keyFile = path.join(root, 'fork-key');
    const one = path.join(root, 'fork-one');
    const honest = await open(one, keyFile);
    await fill(honest, 0, 12);
    await honest.close();
    await rm(`${keyFile}.head`);
    const two = path.join(root, 'fork-two');
    const forged = await open(two, keyFile);
    await fill(forged, 0, 14, 'forged');
    await forged.close();
    const saved = await readFile(path.join(one, 'checkpoint'), 'utf8');
    expect(await verifyLedger({ dir: two })).toMatchObject({ ok: true });
    expect(await verifyLedger({ dir: two, checkpoint: saved })).toMatchObject({ ok: false, reason: expect.stringMatching(/forked/) });
  });

  it('who signs with a key of their own is found by the key that was saved', async () => {
    const other = path.join(root, 'other');
    const ledger = await open(other, path.join(root, 'other-key'));
    await fill(ledger, 0, 3);
    await ledger.close();
    const vkey = (await readFile(path.join(original, 'log.vkey'), 'utf8')).trim();
    expect(await verifyLedger({ dir: other })).toMatchObject({ ok: true });
    expect(await verifyLedger({ dir: other, vkey })).toMatchObject({ ok: false, reason: expect.stringMatching(/no signature by/) });
  });

  it('who signs an entry with a wrong index is found although every hash fits', async () => {
    const { Edge } = await import('./edge.ts');
    const { parseSignerKey } = await import('./note.ts');
    const { signCheckpoint } = await import('./checkpoint.ts');
    const dir = await copy();
    await rm(path.join(dir, 'tile'), { recursive: true });
    const signer = parseSignerKey((await readFile(path.join(root, 'key'), 'utf8')).trim());
    const edge = new Edge();
    edge.append([0, 2].map((index) => `{"action":"daemon.start","index":${index},"time":"2026-01-01T00:00:00.000Z"}`));
    for (const file of edge.take().files) {
      await mkdir(path.dirname(path.join(dir, file.path)), { recursive: true });
      await writeFile(path.join(dir, file.path), file.bytes);
    }
    await writeFile(path.join(dir, 'checkpoint'), signCheckpoint({ origin: 'log.example/test', size: 2, root: edge.root() }, signer));
    expect(await verifyLedger({ dir })).toMatchObject({ ok: false, firstBad: 1, reason: 'entry 1 says that it is entry 2' });
  });
});

function replaceAt(bytes: Buffer, nth: number, from: string, to: string): Buffer {
  let at = -1;
  for (let i = 0; i <= nth; i += 1) at = bytes.indexOf(from, at + 1);
  bytes.write(to, at);
  return bytes;
}

function without(bytes: Buffer, nth: number): Buffer {
  return Buffer.concat([...unframeEntries(bytes)].filter((_, i) => i !== nth).map((entry) => frameEntry(entry ?? Buffer.alloc(0))));
}

it('every hash of every tile is the one the specification asks for', async () => {
  // Independent of the writer: level 1 of the tiles is the root of each full tile of level 0.
  const { CompactRange } = await import('./merkle.ts');
  const upper = await readFile(path.join(original, 'tile/1/000.p/2'));
  for (const index of [0, 1]) {
    const tile = await readFile(path.join(original, `tile/0/00${index}`));
    const range = new CompactRange();
    for (let i = 0; i < 256; i += 1) range.append(hashAt(tile, i) ?? Buffer.alloc(0));
    expect(Buffer.from(range.root()).equals(hashAt(upper, index) ?? Buffer.alloc(0))).toBe(true);
  }
});
