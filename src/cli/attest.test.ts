// `attest` from end to end: a real program in the real sandbox, run in several surroundings against the rehearsal model.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { doctor } from '../sandbox/index.ts';
import { entryFor, type Finished } from './attest/ledger.ts';
import { run } from './attest.ts';
import type { CliIo } from './io.ts';

let home: string;
let workspace: string;
const toy = path.join(import.meta.dirname, 'testdata', 'marking-agent.mjs');
const { mode, layers } = await doctor();
const isMissing = mode === 'none';
const why = isMissing ? `, skipped: ${layers.find(({ ok }) => !ok)?.reason ?? 'no sandbox here'}` : '';

beforeAll(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'attest-home-'));
  workspace = mkdtempSync(path.join(os.tmpdir(), 'attest-work-'));
  writeFileSync(path.join(workspace, 'a.txt'), 'a\n');
});
afterAll(() => {
  for (const directory of [home, workspace]) rmSync(directory, { recursive: true, force: true });
});

/** What would have been recorded; the way to the ledger has its own test. */
const finished: Finished[] = [];

async function cli(...args: string[]): Promise<{ code: number; out: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough().resume();
  const env = { INTRAMUR_HOME: home, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
  const io: CliIo = { stdout, stderr, stdin: new PassThrough(), env, cwd: workspace, home };
  const code = await run(args, io, async (one) => void finished.push(one));
  stdout.end();
  return { code, out: await text(stdout) };
}

it.skipIf(isMissing)(`a marking program is found, and what it states openly is told${why}`, { timeout: 120_000 }, async () => {
  const { code, out } = await cli('--json', '--name', 'toy', '--vary', 'timezone,directory', '--', process.execPath, toy);
  const report = JSON.parse(out);
  expect({ code, report }).toMatchObject({
    code: 1,
    report: {
      schema: 'intramur/attest/1',
      agent: 'toy',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      covert: [{ where: 'POST /v1/messages system', channel: 'value', tokens: ['"\'" U+0027 → "’" U+2019'], variesWith: ['timezone'] }],
      sideChannels: [{ host: 'telemetry.vendor.example', class: 'other', requests: 1 }],
      failedRuns: 0,
      passed: false,
    },
  });
  expect(report.disclosed).toContainEqual({ what: 'directory', where: 'POST /v1/messages system', to: 'model' });
  expect(report.disclosed).toContainEqual({ what: 'directory', where: 'POST telemetry.vendor.example /events', to: 'other' });
  expect(report.tokensCompared).toBeGreaterThan(20);
});

it.skipIf(isMissing)(`it is kept as a document and a page, and what an upgrade changes is told${why}`, { timeout: 120_000 }, async () => {
  const command = ['--vary', 'timezone', '--', process.execPath, toy];
  await cli('--name', 'kept', ...command);
  const [page = ''] = readdirSync(path.join(home, 'state', 'attestations', 'kept')).filter((name) => name.endsWith('.html'));
  const html = readFileSync(path.join(home, 'state', 'attestations', 'kept', page), 'utf8');
  expect(html).toContain('One hidden environment marker was found');
  expect(html).toContain('U+2019');
  expect(html).not.toMatch(/<script|(?:src|href)=/);
  const [before] = finished.slice(-1);
  expect(before && entryFor(before)).toMatchObject({ agent: 'kept', passed: false, covert: 1 });

  const { out } = await cli('--json', '--name', 'kept', ...command, '--honest');
  const later = path.join(home, 'later.json');
  writeFileSync(later, out);
  const [after] = finished.slice(-1);
  expect(after && entryFor(after), 'a pass of a part is no pass').toBeUndefined();
  expect(after && entryFor({ ...after, isWhole: true })).toMatchObject({ agent: 'kept', passed: true, covert: 0 });

  const earlier = path.join(home, 'earlier.json');
  writeFileSync(earlier, JSON.stringify(before?.document));
  const upgrade = await cli('--name', 'kept', '--diff', earlier, later);
  expect(upgrade).toMatchObject({ code: 0, out: expect.stringContaining('markers that are gone') });
  const back = await cli('--json', '--name', 'kept', '--diff', later, earlier);
  expect([back.code, JSON.parse(back.out)]).toMatchObject([1, { passed: false, covert: { gone: [], added: [{ channel: 'value' }] } }]);
  await expect(cli('--name', 'kept', '--diff', '9.9.9', later)).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
});

it.skipIf(isMissing)(`the same program without the mark passes${why}`, async () => {
  const { code, out } = await cli('--vary', 'timezone', '--runs', '1', '--', process.execPath, toy, '--honest');
  expect(code).toBe(0);
  expect(out).toContain('No hidden environment marker found');
});

const noDate = isMissing || process.arch !== 'x64';
it.skipIf(noDate)(
  `a mark that begins on a certain day is found before that day${noDate && !isMissing ? ', skipped: x86_64 only' : why}`,
  { timeout: 120_000 },
  async () => {
    const soon = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    const { code, out } = await cli('--json', '--vary', 'date', '--', process.execPath, toy, '--honest', '--from', soon);
    const report = JSON.parse(out);
    expect({ code, report }).toMatchObject({
      code: 1,
      report: { failedRuns: 0, covert: [{ channel: 'value', tokens: ['"-" U+002D → "–" U+2013'], variesWith: ['date'] }] },
    });
    expect(report.disclosed).toContainEqual({ what: 'date', where: 'POST /v1/messages system', to: 'model' });
  },
);

it.skipIf(isMissing)(`a program that says nothing leads to no verdict${why}`, async () => {
  const { code, out } = await cli('--json', '--vary', 'timezone', '--runs', '1', '--', '/bin/true');
  expect([code, JSON.parse(out)]).toMatchObject([3, { passed: false, covert: [], failures: ['the program made no model call'] }]);
});

it.each([
  [['--vary', 'weather', '--', '/bin/true'], 'USAGE'],
  [['no-such-agent'], 'USAGE'],
  [[], 'USAGE'],
  [['--diff', '1.0.0'], 'USAGE'],
  [['codex', '--diff', '1.0.0'], 'USAGE'],
  [['--name', 'kept', '--diff', 'package.json', 'package.json'], 'CONFIG_NOT_FOUND'],
  [['--runs', '0', '--', '/bin/true'], 'USAGE'],
  [['--', '/no/such/program'], 'CONFIG_NOT_FOUND'],
])('%j is refused', async (args, code) => {
  await expect(cli(...args)).rejects.toMatchObject({ code });
});
