// `ledger` as an auditor uses it: on plain files, without a daemon.
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ledger, openLedger, readEntryBytes, verifyProof } from '../ledger/index.ts';
import type { CliIo } from './io.ts';
import { parseSince } from './ledger/place.ts';
import { run } from './ledger.ts';

let home: string;
let dir: string;
let vkey: string;
let early: string;

function openHere(): Promise<Ledger> {
  let tick = 0;
  return openLedger({
    dir,
    keyFile: path.join(home, 'state', 'ledger.key'),
    origin: 'log.example/cli',
    now: () => new Date(Date.UTC(2026, 0, 1, 0, (tick += 1))),
  });
}

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'cli-ledger-'));
  dir = path.join(home, 'state', 'ledger');
  const ledger = await openHere();
  await ledger.append({ action: 'session.open', session: 's1', agent: 'codex', purpose: 'research' });
  early = ledger.checkpoint();
  await ledger.append({
    action: 'net.connect',
    session: 's1',
    agent: 'codex',
    class: 'other',
    host: 'evil\u001b[31m.example',
    port: 443,
    decision: 'deny',
    reason: 'not in the perimeter',
    policies: ['baseline.closed'],
  });
  await ledger.append({ action: 'http.request', session: 's2', outcomeOf: 1, bytesIn: 3, bytesOut: 4, status: 200 });
  vkey = ledger.vkey;
  await ledger.close();
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

async function cli(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const io: CliIo = {
    stdout,
    stderr,
    stdin: new PassThrough(),
    env: { INTRAMUR_HOME: home },
    cwd: home,
    home,
  };
  const code = await run(args, io);
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('verify', () => {
  it('says ok, counts the checkpoints, and works on a copy', async () => {
    const { code, out } = await cli(['verify', '--json']);
    const { root, ...rest } = JSON.parse(out);
    // Two: the served one, and the one that the writer keeps beside its key.
    expect([code, rest]).toEqual([0, { schema: 'intramur/ledger-verify/1', ok: true, size: 3, checkpoints: 2 }]);
    const copy = path.join(home, 'copy');
    await cp(dir, copy, { recursive: true });
    expect(await cli(['verify', '--dir', 'copy'])).toMatchObject({ code: 0, out: `ok: 3 entries, 1 signed checkpoint, root ${root}\n` });
  });

  it('names the entry of a flipped byte, and exits 1', async () => {
    const copy = path.join(home, 'flipped');
    await cp(dir, copy, { recursive: true });
    const bundle = path.join(copy, 'tile/entries/000.p/3');
    await writeFile(bundle, (await readFile(bundle, 'latin1')).replace('"deny"', '"denY"'), 'latin1');
    const { code, out } = await cli(['verify', '--json', '--dir', copy]);
    expect([code, JSON.parse(out)]).toMatchObject([1, { ok: false, firstBad: 1, reason: 'entry 1 is not the one that was signed' }]);
    expect(await cli(['verify', '--dir', copy])).toMatchObject({
      code: 1,
      out: 'not ok: entry 1: entry 1 is not the one that was signed\n',
    });
  });

  it('takes a saved key and a saved checkpoint', async () => {
    await writeFile(path.join(home, 'saved'), early);
    await writeFile(path.join(home, 'key'), `${vkey}\n`);
    expect(JSON.parse((await cli(['verify', '--json', '--key', 'key', '--checkpoint', 'saved'])).out)).toMatchObject({
      ok: true,
      checkpoints: 3,
    });
    await writeFile(path.join(home, 'key'), 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n');
    expect(await cli(['verify', '--key', 'key'])).toMatchObject({ code: 1 });
    await expect(cli(['verify', '--key', 'nowhere'])).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  });

  it('of a log that was taken away fails; one that was never begun is not there', async () => {
    await rename(dir, `${dir}.away`);
    const { code, out } = await cli(['verify', '--json']);
    const other = cli(['verify', '--dir', 'nowhere']);
    await expect(other).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
    await rename(`${dir}.away`, dir);
    expect([code, JSON.parse(out)]).toMatchObject([1, { ok: false, size: 0, reason: 'the ledger is gone: its key had signed 3 entries' }]);
  });

  it('of the machine\u2019s own log fails when it is older than what was signed', async () => {
    const checkpoint = path.join(dir, 'checkpoint');
    const now = await readFile(checkpoint, 'utf8');
    await writeFile(checkpoint, early);
    const { code, out } = await cli(['verify', '--json']);
    await writeFile(checkpoint, now);
    expect([code, JSON.parse(out)]).toMatchObject([1, { ok: false, firstBad: 1, reason: expect.stringMatching(/rolled back/) }]);
  });
});

it('show prints entries; nothing in them reaches the terminal as a control character', async () => {
  const { out } = await cli(['show', '1']);
  expect(out).toContain('host            evil\\u{1b}[31m.example\n');
  expect((await cli(['show', '--session', 's1'])).out.split('\n').length).toBe(3);
  expect((await cli(['show'])).out).not.toContain('\u001b');
  expect(await cli(['show', '--session', 'nosuch'])).toEqual({ code: 0, out: '', err: 'intramur: the ledger knows no session "nosuch"\n' });
  expect(JSON.parse((await cli(['show', '--json', '0', '2'])).out)).toMatchObject({
    schema: 'intramur/ledger-show/1',
    entries: [{ index: 0 }, { index: 2 }],
  });
  await expect(cli(['show', '3'])).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  await expect(cli(['show', '-1', '--'])).rejects.toThrow();
  await expect(cli(['show', 'one'])).rejects.toMatchObject({ code: 'USAGE' });
});

it('proof writes what verifies offline', async () => {
  const { code, out } = await cli(['proof', '1']);
  expect(code).toBe(0);
  expect(verifyProof(out, await readEntryBytes(dir, 1), vkey)).toEqual({ ok: true, index: 1, size: 3 });
});

it('export writes every field of the contract, on one line each', async () => {
  const { out } = await cli(['export', '--format', 'jsonl']);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const fields =
    'index time session agent purpose action class host port method path requestedModel provider perimeter labels decision reason policies bytesOut bytesIn';
  expect(lines.map((line) => Object.keys(line).slice(0, 20).join(' '))).toEqual([fields, fields, fields]);
  expect(lines[1]).toMatchObject({ decision: 'deny', policies: ['baseline.closed'], labels: [], provider: null });
  expect(lines[2]).toMatchObject({ outcomeOf: 1, status: 200 });
  expect((await cli(['export', '--since', '2026-01-01T00:02:30Z'])).out.trimEnd().split('\n').length).toBe(1);
});

it('tail follows what is appended', async () => {
  const stop = new AbortController();
  const stdout = new PassThrough();
  const seen: number[] = [];
  // Ends when the new entry was printed, or with the test's own time limit.
  createInterface({ input: stdout }).on('line', (line) => {
    seen.push(JSON.parse(line).index);
    if (seen.includes(3)) stop.abort();
  });
  const io: CliIo = { stdout, stderr: stdout, stdin: stdout, env: { INTRAMUR_HOME: home }, cwd: home, home, signal: stop.signal };
  const following = run(['tail', '-n', '1', '--json'], io);
  const ledger = await openHere();
  await ledger.append({ action: 'daemon.stop' });
  await ledger.close();
  expect(await following).toBe(0);
  expect(seen).toContain(3);
  await expect(run(['tail', '-n', 'x'], io)).rejects.toThrow('--lines "x" is not a number of entries');
  expect(new Set(seen).size).toBe(seen.length);
});

it.each([[[]], [['unknown']], [['export', '--format', 'xml']], [['export', '--since', 'yesterday']], [['proof']]])(
  '%j is a usage fault',
  async (args) => {
    await expect(cli(args)).rejects.toMatchObject({ code: 'USAGE' });
  },
);

it('what is not built says so', async () => {
  expect(await cli(['witness'])).toMatchObject({ code: 2, err: 'intramur: "ledger witness" is not built yet\n' });
});

it.each([
  ['7d', '2026-01-03T00:00:00.000Z'],
  ['36h', '2026-01-08T12:00:00.000Z'],
  ['2w', '2025-12-27T00:00:00.000Z'],
  ['2026-01-05', '2026-01-05T00:00:00.000Z'],
])('--since %s', (text, expected) => {
  expect(parseSince(text, new Date('2026-01-10T00:00:00Z')).toISOString()).toBe(expected);
});
