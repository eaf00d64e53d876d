// The programs that stand in for what a rule names: what they leave behind tells what ran, also when an agent loses what they print.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Facts, ProbePlan } from '../../audit/index.ts';
import { controlCommand, controlTrace, type Staged, stage } from './stage.ts';

let dir = '';
let workspace = '';
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'stage-'));
  // A name that a shell would take apart.
  workspace = path.join(dir, 'a "$HOME" `id` \\ work');
  for (const name of [workspace, path.join(dir, 'home'), path.join(dir, 'own')]) fs.mkdirSync(name);
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const plan = (act: ProbePlan['act']): ProbePlan => ({
  agent: 'codex',
  workspace,
  rule: 'r',
  mode: 'deny',
  file: `${dir}/home/rules`,
  line: 1,
  act,
});

function staged(...acts: readonly ProbePlan['act'][]): Staged {
  return stage(acts.map(plan), 'codex', { loaded: [] } as unknown as Facts, workspace, path.join(dir, 'home'), path.join(dir, 'own'));
}

function asked({ programs }: Staged, command: string) {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', command], {
    cwd: workspace,
    encoding: 'utf8',
    env: { PATH: `${programs}:/usr/bin:/bin`, INTRAMUR_CONTROL: 'control' },
  });
  return { stdout: stdout.trim(), status, left: fs.readdirSync(workspace).filter((name) => name.startsWith('.intramur')) };
}

it('a command that a rule names is ours: it says its word and leaves its trace, and the real one is not started', () => {
  const all = staged({ do: 'shell', command: 'rm x' }, { do: 'shell', command: 'rm -rf x' });
  fs.writeFileSync(path.join(workspace, 'x'), 'kept');
  expect(asked(all, 'rm -rf x')).toEqual({ stdout: all.probes[1]?.nonce, status: 0, left: [all.probes[1]?.trace] });
  expect(asked(all, 'rm x >/dev/null').left).toEqual(all.probes.map(({ trace }) => trace));
  expect(fs.readFileSync(path.join(workspace, 'x'), 'utf8')).toBe('kept');
});

it('the control leaves its own', () => {
  expect(asked(staged({ do: 'shell', command: 'rm x' }), controlCommand)).toEqual({ stdout: 'control', status: 0, left: [controlTrace] });
});

it('a file that could be read leaves a trace; one that could not leaves none', () => {
  const file = path.join(dir, 'home/canary');
  const all = staged({ do: 'shell', command: `cat ${file}` });
  expect(asked(all, `cat ${file}`)).toMatchObject({ status: 1, left: [] });
  fs.writeFileSync(file, 'seen');
  expect(asked(all, `cat ${file}`)).toEqual({ stdout: 'seen', status: 0, left: [all.probes[0]?.trace] });
});

it('what no rule names is the real program', () => {
  const all = staged({ do: 'shell', command: 'rm x' });
  fs.writeFileSync(path.join(workspace, 'y'), '');
  expect(asked(all, 'rm y')).toMatchObject({ status: 0, left: [] });
  expect(fs.existsSync(path.join(workspace, 'y'))).toBe(false);
});

it('where nothing can be written, the word is still said', () => {
  const all = staged({ do: 'shell', command: 'rm x' });
  fs.rmSync(workspace, { recursive: true });
  const { stdout } = spawnSync('/bin/sh', ['-c', 'rm x'], { cwd: dir, encoding: 'utf8', env: { PATH: `${all.programs}:/usr/bin:/bin` } });
  expect(stdout.trim()).toBe(all.probes[0]?.nonce);
});
