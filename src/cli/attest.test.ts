// `attest` from end to end: a real program in the real sandbox, run in several surroundings against the rehearsal model.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { doctor } from '../sandbox/index.ts';
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

async function cli(...args: string[]): Promise<{ code: number; out: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough().resume();
  const env = { INTRAMUR_HOME: home, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
  const io: CliIo = { stdout, stderr, stdin: new PassThrough(), env, cwd: workspace, home };
  const code = await run(args, io);
  stdout.end();
  return { code, out: await text(stdout) };
}

it.skipIf(isMissing)(`a marking program is found, and what it states openly is told${why}`, async () => {
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

it.skipIf(isMissing)(`the same program without the mark passes${why}`, async () => {
  const { code, out } = await cli('--vary', 'timezone', '--runs', '1', '--', process.execPath, toy, '--honest');
  expect(code).toBe(0);
  expect(out).toContain('No hidden environment marker found');
});

it.skipIf(isMissing)(`a program that says nothing leads to no verdict${why}`, async () => {
  const { code, out } = await cli('--json', '--vary', 'timezone', '--runs', '1', '--', '/bin/true');
  expect([code, JSON.parse(out)]).toMatchObject([3, { passed: false, covert: [], failures: ['the program made no model call'] }]);
});

it.each([
  [['--vary', 'weather', '--', '/bin/true'], 'USAGE'],
  [['no-such-agent'], 'USAGE'],
  [[], 'USAGE'],
  [['--runs', '0', '--', '/bin/true'], 'USAGE'],
  [['--', '/no/such/program'], 'CONFIG_NOT_FOUND'],
])('%j is refused', async (args, code) => {
  await expect(cli(...args)).rejects.toMatchObject({ code });
});
