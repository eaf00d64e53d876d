// The exec audit as its user knows it: every program that starts inside is in the ledger with its arguments, and a policy that forbids
// one is obeyed, whether or not the option was given.
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { createRig, type Rig } from './rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly programs: { readonly started: number; readonly refused: number } | undefined;
  readonly starts: readonly Entry[];
}

async function run(script: string, options: readonly string[] = []): Promise<Ran> {
  const file = path.join(rig.dir, 'summary.json');
  const outcome = await rig.intramur(['run', '--mode', 'direct', '--summary-json', file, ...options, '--', 'bash', '-c', script]);
  const { session, programs } = JSON.parse(fs.readFileSync(file, 'utf8')) as { session: string; programs?: Ran['programs'] };
  const shown = await rig.intramur(['ledger', 'show', '--session', session, '--json']);
  const { entries } = JSON.parse(shown.stdout) as { entries: Entry[] };
  return { ...outcome, programs, starts: entries.filter(({ action }) => action === 'process.exec') };
}

describe('run --audit-exec', () => {
  it('records each start with path, arguments and decision, before the program that follows it', async () => {
    const { code, stdout, stderr, programs, starts } = await run('/usr/bin/printf "%s\\n" "a b" c; /bin/true; cd /tmp; ls >/dev/null', [
      '--audit-exec',
    ]);
    expect([code, stdout]).toEqual([0, 'a b\nc\n']);
    expect(starts.map(({ decision, path: file, detail }) => [decision, file, detail?.['argv'], detail?.['cwd']])).toEqual([
      [
        'allow',
        expect.stringMatching(/\/bash$/),
        [expect.stringMatching(/bash$/), '-c', expect.stringContaining('/bin/true')],
        rig.workspace,
      ],
      ['allow', '/usr/bin/printf', ['/usr/bin/printf', '%s\\n', 'a b', 'c'], rig.workspace],
      ['allow', '/bin/true', ['/bin/true'], rig.workspace],
      ['allow', '/usr/bin/ls', ['ls'], '/tmp'],
    ]);
    expect(programs).toEqual({ started: 4, refused: 0 });
    expect(stderr).toContain('programs: 4 started');
  });

  it('is off unless it is asked for', async () => {
    const { programs, starts } = await run('/bin/true');
    expect([programs, starts]).toEqual([undefined, []]);
  });

  it('keeps no secret of a command line', async () => {
    const secret = `AKIA${'Q3ERTYUIOPASDF5G'}`;
    const { starts } = await run(`/bin/true --token ${secret} after`, ['--audit-exec']);
    expect(JSON.stringify(starts)).not.toContain(secret);
    expect(starts.at(-1)?.detail?.['argv']).toEqual(['/bin/true', '--token', '(secret)', 'after']);
  });

  it('is obeyed when a policy forbids a program by name, without the option, whatever the program is called by', async () => {
    const policies = path.join(rig.dir, 'policies');
    fs.mkdirSync(policies);
    fs.writeFileSync(
      path.join(policies, 'exec.cedar'),
      `@id("no-env") @reason("env is not for agents")
forbid(principal, action == Intramur::Action::"process.exec", resource in Intramur::Program::"env");
@id("no-force") @reason("no forced pushes")
forbid(principal, action == Intramur::Action::"process.exec", resource in Intramur::Program::"git") when { context.argv like "*--force*" };
@id("no-branches") @reason("no branches")
forbid(principal, action == Intramur::Action::"process.exec", resource in Intramur::Program::"git") when { context.verbs.contains("branch") };`,
    );
    const before = fs.readFileSync(path.join(rig.state, 'intramur.yaml'), 'utf8');
    rig.configure(`${before}policies: [${JSON.stringify(policies)}]\n`);
    try {
      const script =
        'ln -s /usr/bin/env e; ./e true; echo $?; env true; echo $?; git push --force; echo $?; git branch upstream; echo $?; git --version >/dev/null; echo $?';
      const { stdout, stderr, programs, starts } = await run(script);
      expect(stdout).toBe('126\n126\n126\n126\n0\n');
      expect(programs?.refused).toBe(4);
      expect(starts.filter(({ decision }) => decision === 'deny').map(({ policies: by, reason }) => [by, reason])).toEqual([
        [['policies/no-env'], 'env is not for agents (policy policies/no-env)'],
        [['policies/no-env'], 'env is not for agents (policy policies/no-env)'],
        [['policies/no-force'], 'no forced pushes (policy policies/no-force)'],
        [['policies/no-branches'], 'no branches (policy policies/no-branches)'],
      ]);
      expect(stderr).toContain('4 refused');
      const itself = await rig.intramur(['run', '--', 'env', 'true']);
      expect(itself).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('"env" was refused its start') as string });
    } finally {
      rig.configure(before);
    }
  });
});
