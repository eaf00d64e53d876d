// An attestation as the company uses it: its result is in the ledger, and where one is required, nothing is pinned without it.
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { createRig, type Rig, root } from './rig.ts';

const { mode } = await doctor();
const why = mode === 'none' ? ', skipped: no sandbox here' : '';
let rig: Rig;
let program: string;

beforeAll(async () => {
  rig = await createRig({ extra: 'agents: { attestation: required }\n' });
  const directory = path.join(rig.dir, 'toy');
  program = path.join(directory, 'toy.mjs');
  fs.mkdirSync(directory);
  fs.copyFileSync(path.join(root, 'src', 'cli', 'testdata', 'marking-agent.mjs'), program);
  fs.writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ name: 'toy', version: '1.2.3' }));
});
afterAll(() => rig.close());

async function attest(...args: string[]): Promise<{ code: number | null; sha256: string; stderr: string }> {
  const outcome = await rig.intramur(['attest', '--json', '--name', 'toy', ...args], { limitMs: 120_000 });
  return { code: outcome.code, stderr: outcome.stderr, ...(JSON.parse(outcome.stdout) as { sha256: string }) };
}

async function pin(sha256: string): Promise<number | null> {
  return (await rig.intramur(['agents', 'pin', 'toy', '--versions', '1.2.3', '--sha256', sha256])).code;
}

async function recorded(): Promise<Entry[]> {
  const { stdout } = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
  const entries = stdout.split('\n').filter((line) => line !== '');
  return entries.map((line) => JSON.parse(line) as Entry).filter(({ action }) => action === 'agent.attest');
}

it.skipIf(why !== '')(`only a whole attestation that passed lets a version be pinned${why}`, { timeout: 300_000 }, async () => {
  const honest = [process.execPath, program, '--honest'];
  const part = await attest('--vary', 'tools', '--', ...honest);
  expect(part.code, part.stderr).toBe(0);
  expect(part.stderr).toContain('not recorded');
  expect(await recorded()).toEqual([]);
  expect(await pin(part.sha256)).not.toBe(0);

  const marked = await attest('--vary', 'timezone', '--', process.execPath, program);
  expect(marked.code).toBe(1);
  expect(await recorded()).toMatchObject([{ agent: 'toy', detail: { version: '1.2.3', passed: false, covert: 1 } }]);
  expect(await pin(marked.sha256)).not.toBe(0);

  const whole = await attest('--', ...honest);
  expect(whole.code, whole.stderr).toBe(0);
  expect(await recorded()).toMatchObject([
    { detail: { passed: false } },
    { agent: 'toy', detail: { version: '1.2.3', sha256: whole.sha256, passed: true, covert: 0, failedRuns: 0 } },
  ]);
  expect(await pin(whole.sha256)).toBe(0);
});
