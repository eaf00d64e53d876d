// Program starts are asked about before they happen, by what they are, and a supervisor that is gone lets nothing start.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { doctor } from '../doctor.ts';
import { launch } from '../launch.ts';
import { childrenOf } from '../process-status.ts';
import { canWaitKillable } from '../supervision.ts';
import { boxIn, closeAll } from '../testdata/box.ts';
import type { DecideStarts } from './exec-audit.ts';
import type { ProgramStart } from './program-start.ts';

const { mode, layers } = await doctor();
const why = layers.find(({ ok }) => !ok)?.reason ?? '';
const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-exec-')));
afterAll(() => {
  spawnSync('chmod', ['-R', 'u+rwX', scratch]);
  fs.rmSync(scratch, { recursive: true, force: true });
});

let sessions = 0;

async function run(script: string, decideStarts: DecideStarts, overlay = false) {
  const session = path.join(scratch, String(sessions++));
  const plan = boxIn(session, {
    argv: ['/bin/sh', '-c', script],
    mode: overlay ? 'overlay' : 'direct',
    decideStarts,
    cacheDir: path.join(scratch, 'cache'),
  });
  const { workspace } = plan;
  const launched = await launch(plan, { listening: closeAll });
  return { launched, workspace, out: path.join(overlay ? path.join(session, 'upper') : workspace, 'out') };
}

/** Allows all but programs of this name. */
function recorder(denied = ''): { seen: ProgramStart[]; decide: DecideStarts } {
  const seen: ProgramStart[] = [];
  return {
    seen,
    decide: (starts) => {
      for (const start of starts) if (start) seen.push(start);
      return Promise.resolve(starts.map((start) => path.basename(start?.realPath ?? '') !== denied));
    },
  };
}

describe.skipIf(mode === 'none')(`the exec audit${mode === 'none' ? `, skipped: ${why}` : ''}`, () => {
  it.each([
    ['in the workspace itself', false],
    ['in a layer', true],
  ])('sees path, arguments and directory of each start, and none of our own, %s', async (_name, overlay) => {
    const { seen, decide } = recorder();
    const { launched, workspace } = await run('cd /tmp; /bin/echo "a b" c; exec /bin/true', decide, overlay);
    expect(await launched.exited).toEqual({ code: 0, signal: null });
    expect(seen.map(({ path: called, argv, cwd }) => ({ called, argv, cwd }))).toEqual([
      { called: '/bin/sh', argv: ['/bin/sh', '-c', expect.stringContaining('cd /tmp')], cwd: workspace },
      { called: '/bin/echo', argv: ['/bin/echo', 'a b', 'c'], cwd: '/tmp' },
      { called: '/bin/true', argv: ['/bin/true'], cwd: '/tmp' },
    ]);
  });

  it('refuses by what a link leads to, and the program sees EPERM', async () => {
    const { decide } = recorder('env');
    const { launched, out } = await run('ln -s /usr/bin/env harmless; ./harmless true; echo $? > out; /bin/true; echo $? >> out', decide);
    await launched.exited;
    expect(fs.readFileSync(out, 'utf8')).toBe('126\n0\n');
  });

  it('sees a start by descriptor, without a path', async () => {
    const { seen, decide } = recorder();
    const { launched } = await run(
      `exec /usr/bin/python3 -c 'import os; os.execve(os.open("/bin/true", os.O_RDONLY), ["t", "x"], {})'`,
      decide,
    );
    await launched.exited;
    expect(seen.at(-1)).toMatchObject({ path: expect.stringMatching(/\/bin\/true$/), argv: ['t', 'x'] });
  });

  it('bounds what is kept of an argument list', async () => {
    const { seen, decide } = recorder();
    const { launched } = await run('/bin/true $(seq 1 20000) "$(printf %05000d 1)"', decide);
    expect((await launched.exited).code).toBe(0);
    const argv = seen.at(-1)?.argv ?? [];
    expect([argv.length, argv.at(-1)]).toEqual([257, '… (more arguments)']);
  });

  it.each<[string, DecideStarts]>([
    ['throws', () => Promise.reject(new Error('the policy is broken'))],
    ['answers too little', () => Promise.resolve([])],
  ])('a decision that %s lets nothing start', async (_name, decide) => {
    const { launched, out } = await run('echo started > out', decide);
    expect(await launched.exited).toMatchObject({ notStarted: 'EPERM' });
    expect(fs.existsSync(out)).toBe(false);
  });

  it.each(['the one that asks', 'the one that answers'])('a supervisor that is killed (%s) lets nothing more start', async (which) => {
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    const decide: DecideStarts = (starts) => {
      if (starts.some((start) => start?.argv[0] === 'sleep')) resolve();
      return Promise.resolve(starts.map(() => true));
    };
    const { launched, out } = await run('sleep 0.5; while [ ! -e go ]; do :; done; /bin/true; echo $? > out', decide);
    await reached;
    const answering = childrenOf(launched.pid).find((pid) => fs.readlinkSync(`/proc/${pid}/exe`).includes('/init/'));
    const asking = childrenOf(answering ?? 0)[0];
    expect([answering, asking]).toEqual([expect.any(Number), expect.any(Number)]);
    process.kill((which === 'the one that asks' ? asking : answering) ?? 0, 'SIGKILL');
    fs.writeFileSync(path.join(path.dirname(out), 'go'), '');
    await launched.exited;
    expect(fs.readFileSync(out, 'utf8')).toMatch(/^12[67]\n$/);
  });

  it('leaves no process', async () => {
    const { launched } = await run('/bin/true', recorder().decide);
    const supervisors = childrenOf(launched.pid);
    await launched.exited;
    await expect.poll(() => supervisors.filter((pid) => isAlive(pid))).toEqual([]);
  });
});

describe('whether the kernel can hold a start against signals', () => {
  it.each([
    ['5.15.0-91-generic', false],
    ['5.19.0', true],
    ['6.1.0-18-amd64', true],
    ['4.19.0', false],
  ])('%s: %s', (release, expected) => {
    expect(canWaitKillable(release)).toBe(expected);
  });
});

/** A process that nobody has waited for is dead all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
