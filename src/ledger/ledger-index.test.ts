// The index answers what the tiles say, and is built anew from them whatever happened to it.
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Ledger, openIndex, openLedger } from './index.ts';

let root: string;
let dir: string;
let file: string;
let tick: number;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'ledger-index-'));
  dir = path.join(root, 'ledger');
  file = path.join(root, 'index.db');
  tick = 0;
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function open(): Promise<Ledger> {
  return openLedger({
    dir,
    keyFile: path.join(root, 'key'),
    origin: 'log.example/test',
    now: () => new Date(Date.UTC(2026, 0, 1, 0, (tick += 1))),
  });
}

async function fill(ledger: Ledger, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const isAllowed = i % 2 === 0;
    await ledger.append({
      action: 'llm.invoke',
      session: `s${i % 3}`,
      agent: 'codex',
      class: isAllowed ? 'model' : 'telemetry',
      decision: isAllowed ? 'allow' : 'deny',
    });
  }
}

it('answers by session, decision, time, class and position', async () => {
  const ledger = await open();
  await fill(ledger, 12);
  await ledger.close();
  const index = await openIndex(file, dir);
  expect(index.size).toBe(12);
  expect(index.entriesOfSession('s1').map((e) => e.index)).toEqual([1, 4, 7, 10]);
  expect(index.tail(3).map((e) => e.index)).toEqual([9, 10, 11]);
  expect(index.find({ decision: 'deny', session: 's1' }).map((e) => e.index)).toEqual([1, 7]);
  expect(index.find({ since: new Date(Date.UTC(2026, 0, 1, 0, 11)) }).map((e) => e.index)).toEqual([10, 11]);
  expect(index.find({ agent: 'codex', limit: 2 }).map((e) => e.index)).toEqual([10, 11]);
  expect(index.find({ agent: "codex' OR 1=1 --" })).toEqual([]);
  expect(index.count({ decision: 'allow' })).toBe(6);
  expect(index.countByClass()).toEqual([
    { class: 'model', allow: 6, deny: 0 },
    { class: 'telemetry', allow: 0, deny: 6 },
  ]);
  expect(index.entry(5)).toMatchObject({ index: 5, session: 's2' });
  expect(index.entry(99)).toBeUndefined();
  index.close();
});

it('takes appended entries, also out of order and twice', async () => {
  const ledger = await open();
  const index = await openIndex(file, dir);
  const entries = await Promise.all([1, 2, 3].map((port) => ledger.append({ action: 'net.connect', port })));
  for (const i of [2, 0, 0, 1, 2]) {
    const entry = entries[i];
    if (entry) index.add(entry);
  }
  expect(index.tail(9).map((e) => e.port)).toEqual([1, 2, 3]);
  index.close();
  await ledger.close();
});

it('what could not be written, as on a full disk, is caught up with later', async () => {
  const ledger = await open();
  const index = await openIndex(file, dir);
  await fill(ledger, 3);
  const disk = new DatabaseSync(file);
  disk.exec("CREATE TRIGGER full BEFORE INSERT ON entries WHEN NEW.idx = 1 BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
  await expect(index.catchUp()).rejects.toThrow('full');
  expect([index.size, index.tail(9)]).toEqual([0, []]);
  await expect(index.catchUp()).rejects.toThrow('full');
  disk.exec('DROP TRIGGER full');
  disk.close();
  await index.catchUp();
  expect(index.tail(9).map((e) => e.index)).toEqual([0, 1, 2]);
  index.close();
  await ledger.close();
});

it('a place where no index can be made is a fault that says so', async () => {
  await (await open()).close();
  await expect(openIndex(path.join(root, 'no', 'such', 'index.db'), dir)).rejects.toMatchObject({
    code: 'LEDGER_APPEND',
    message: expect.stringMatching(/index of the ledger cannot be written: .*unable to open database file/) as string,
  });
});

it.each<[string, () => Promise<void>]>([
  ['missing', () => rm(file)],
  ['not a database', () => writeFile(file, 'something else entirely, and long enough to be read as a header')],
  ['cut short', () => truncate(file, 5000)],
  [
    'of another log',
    async () => {
      const other = await openLedger({
        dir: path.join(root, 'other'),
        keyFile: path.join(root, 'other-key'),
        origin: 'o.example',
        now: () => new Date(0),
      });
      await fill(other, 3);
      await other.close();
      await rm(file);
      (await openIndex(file, path.join(root, 'other'))).close();
    },
  ],
  [
    'ahead of the log',
    async () => {
      const index = await openIndex(file, dir);
      for (let i = 7; i < 10; i += 1) index.add({ index: i, time: '2026-01-01T00:00:00.000Z', action: 'daemon.stop' });
      index.close();
    },
  ],
  [
    'behind',
    async () => {
      const ledger = await open();
      await fill(ledger, 2);
      await ledger.close();
    },
  ],
])('an index that is %s becomes the log again', async (_name, damage) => {
  const ledger = await open();
  await fill(ledger, 7);
  await ledger.close();
  (await openIndex(file, dir)).close();
  await damage();
  const index = await openIndex(file, dir);
  const isBehind = index.size === 9;
  expect(index.tail(100).map((e) => [e.index, e.action])).toEqual(Array.from({ length: isBehind ? 9 : 7 }, (_, i) => [i, 'llm.invoke']));
  index.close();
});
