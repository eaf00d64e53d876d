// The GitHub Action and the pre-commit entry, run as a runner would run them, with the packed command standing in for the one from npm.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { main, root } from './rig.ts';

let dir = '';
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-ci-'));
  for (const name of ['bin', 'repo/.git', 'repo/.claude', 'tmp']) fs.mkdirSync(path.join(dir, name), { recursive: true });
  const npx = `#!/bin/sh\ntest "$1" = --yes || exit 9\nshift 2\nexec ${process.execPath} ${main} "$@"\n`;
  fs.writeFileSync(path.join(dir, 'bin/npx'), npx, { mode: 0o755 });
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const settings = (text: string): void => fs.writeFileSync(path.join(dir, 'repo/.claude/settings.json'), text);
const risky = '{"permissions":{"allow":["Bash(*)"]}}';

function script(command: readonly string[], more: Record<string, string> = {}) {
  const env = { PATH: `${path.join(dir, 'bin')}:/usr/bin:/bin`, HOME: path.join(dir, 'nobody'), TMPDIR: path.join(dir, 'tmp'), ...more };
  const [first = '', ...rest] = command;
  return spawnSync(first, rest, { cwd: path.join(dir, 'repo'), env, encoding: 'utf8' });
}

function action(more: Record<string, string> = {}) {
  const { runs, inputs } = parse(fs.readFileSync(path.join(root, 'action.yml'), 'utf8')) as {
    runs: { steps: { run: string; env: Record<string, string> }[] };
    inputs: Record<string, { default: string }>;
  };
  const [step] = runs.steps;
  const env = Object.fromEntries(
    Object.entries(step?.env ?? {}).map(([name, value]) => [name, inputs[/inputs\.([\w-]+)/.exec(value)?.[1] ?? '']?.default ?? '']),
  );
  return script(['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', step?.run ?? ''], { ...env, ...more });
}

describe('the GitHub Action', () => {
  it('passes a repository in order, fails one that grants itself the shell, and writes SARIF with relative places', () => {
    settings('{"permissions":{"deny":["Read(./.env)"]}}');
    expect(action()).toMatchObject({ status: 0, stderr: '' });
    settings(risky);
    const failed = action();
    expect({ status: failed.status, stdout: failed.stdout }).toEqual({ status: 1, stdout: expect.stringContaining('PROJ-004') as string });
    const { runs } = JSON.parse(fs.readFileSync(path.join(dir, 'repo/intramur.sarif'), 'utf8')) as {
      runs: { results: { ruleId: string; locations: { physicalLocation: { artifactLocation: { uri: string } } }[] }[] }[];
    };
    const found = runs[0]?.results.find(({ ruleId }) => ruleId === 'PROJ-004');
    expect(found?.locations[0]?.physicalLocation.artifactLocation.uri).toBe('.claude/settings.json');
    expect(fs.readdirSync(path.join(dir, 'tmp'))).toEqual([]);
  });

  it('fails on what is new only, with a baseline', () => {
    settings(risky);
    const report = script([process.execPath, main, 'audit', '.', '--home', path.join(dir, 'tmp'), '--json', '--out', 'known.json']);
    expect(report.status).toBe(0);
    expect(action({ BASELINE: 'known.json' }).status).toBe(0);
    settings('{"permissions":{"allow":["Bash(*)"],"defaultMode":"bypassPermissions"}}');
    expect(action({ BASELINE: 'known.json' }).status).toBe(1);
  });

  it('an input is never run', () => {
    settings('{}');
    action({ AUDIT_PATH: '$(touch owned)', FAIL_ON: '`touch owned`', SARIF: '";touch owned;"' });
    expect(fs.existsSync(path.join(dir, 'repo/owned'))).toBe(false);
    expect(fs.readFileSync(path.join(root, 'action.yml'), 'utf8').split('run: |')[1]).not.toContain('${{');
  });
});

it('the pre-commit entry fails a commit that grants the shell, and looks at files that matter', () => {
  const [hook] = parse(fs.readFileSync(path.join(root, '.pre-commit-hooks.yaml'), 'utf8')) as { entry: string; files: string }[];
  const entry = /^sh -c '(.*)'$/s.exec(hook?.entry ?? '')?.[1] ?? '';
  const npx = `#!/bin/sh\nshift 2\nexec ${process.execPath} ${main} "$@"\n`;
  fs.writeFileSync(path.join(dir, 'bin/npx'), npx, { mode: 0o755 });
  settings(risky);
  expect(script(['sh', '-c', entry]).status).toBe(1);
  settings('{}');
  expect(script(['sh', '-c', entry]).status).toBe(0);
  const files = new RegExp(hook?.files ?? '');
  for (const name of [
    '.claude/settings.json',
    'a/.mcp.json',
    'CLAUDE.md',
    '.vscode/tasks.json',
    '.env',
    '.env.local',
    '.github/workflows/a.yml',
  ])
    expect([name, files.test(name)]).toEqual([name, true]);
  expect(files.test('src/main.ts')).toBe(false);
});
