// A program that fills the disk, with bytes or with files: the session is ended with its reason while there is something left, and the
// record says which limits were in force.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { memoryLimit } from '../../src/sandbox/cgroup.ts';
import { createRig, finished, main, type Rig } from './rig.ts';

let rig: Rig;
let disk: string;
let isMounted = false;

beforeAll(async () => {
  rig = await createRig();
  disk = path.join(rig.dir, 'disk');
  fs.mkdirSync(disk);
});
afterAll(async () => {
  if (isMounted) spawnSync('umount', ['-l', disk]);
  await rig.close();
});

/** A small disk of its own, which only root can have. */
const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

const canLimitMemory = memoryLimit().available;

async function run(script: string) {
  const file = path.join(rig.dir, 'summary.json');
  const outcome = await rig.intramur(['run', '--mode', 'direct', '--workspace', disk, '--summary-json', file, '--', 'bash', '-c', script], {
    cwd: disk,
  });
  const summary = JSON.parse(fs.readFileSync(file, 'utf8')) as { session: string; halted?: string; limits: string[] };
  const { stdout } = await rig.intramur(['ledger', 'show', '--session', summary.session, '--json']);
  const closing = (JSON.parse(stdout) as { entries: Entry[] }).entries.find(({ action }) => action === 'session.close');
  return { ...outcome, summary, closing };
}

/** Runs in a mount namespace of its own in which `prepare` came first: a machine that lacks something. */
function runOn(prepare: string, args: readonly string[]) {
  const command = [process.execPath, main, 'run', '--workspace', disk, ...args];
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', `${prepare}; exec "$@"`, 'sh', ...command], {
    cwd: disk,
    env: rig.env,
    encoding: 'utf8',
  });
  return { code: status, stderr };
}

function lastConfinement(): Entry['detail'] {
  const { stdout } = spawnSync(process.execPath, [main, 'ledger', 'export', '--format', 'jsonl'], { env: rig.env, encoding: 'utf8' });
  const entries = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
  return entries.findLast(({ action }) => action === 'session.confine')?.detail;
}

const noGroups =
  'for d in /sys/fs/cgroup/*/; do mount --bind "$d" "$d" && mount -o remount,bind,ro "$d"; done; mount -o remount,bind,ro /sys/fs/cgroup';

describe.skipIf(!canMount)(`a machine that lacks a layer${canMount ? '' : ', skipped: only root can make one'}`, () => {
  it.each([
    [
      'control groups',
      noGroups,
      ['--mode', 'direct', '--limit-memory', '1G', '--limit-cpus', '1.5', '--limit-pids', '100'],
      [/processes: no control group/, /memory in all: no control group/, /processor time in all: no control group/],
    ],
    ['an overlay', 'mkdir -p sub && mount -t tmpfs none sub', [], [/overlay of the workspace/]],
  ])('without %s: refused; with --allow-degraded it goes on, says so, and the ledger has it', (_name, prepare, args, missing) => {
    const refused = runOn(prepare, [...args, '--', 'touch', 'ran']);
    expect([refused.code, fs.existsSync(path.join(disk, 'ran'))]).toEqual([3, false]);
    for (const what of [...missing, /--allow-degraded/]) expect(refused.stderr).toMatch(what);
    const { code, stderr } = runOn(prepare, ['--allow-degraded', ...args, '--', 'true']);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^intramur: DEGRADED: no /m)]);
    expect(lastConfinement()).toMatchObject({ mode: 'direct', degraded: missing.map((what) => expect.stringMatching(what) as string) });
  });

  it('the default number of processes is no reason to refuse; what is not in force is in the ledger', () => {
    const { code, stderr } = runOn(noGroups, ['--mode', 'direct', '--', 'true']);
    expect([code, stderr.includes('DEGRADED')]).toEqual([0, false]);
    const notInForce = expect.arrayContaining([expect.stringMatching(/^processes: /)]) as string[];
    expect(lastConfinement()).toMatchObject({ degraded: [], notInForce });
  });
});

describe('limits of a session', () => {
  it('are no more than the caller may have himself', () => {
    const few = 'prlimit --pid $$ --nproc=1000:1000 --fsize=1073741824:1073741824';
    const command = [process.execPath, main, 'run', '--mode', 'direct', '--workspace', disk, '--', 'bash', '-c', 'ulimit -Hu; ulimit -Hf'];
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `${few}; exec "$@"`, 'sh', ...command], {
      cwd: disk,
      env: rig.env,
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '1000\n1048576\n', expect.stringContaining('intramur: boxed')]);
    expect(lastConfinement()?.['limits']).toEqual(expect.arrayContaining(['one file: 1073741824 bytes']));
  });

  it('are in status and in the ledger while it runs', async () => {
    const child = rig.start(['run', '--mode', 'direct', '--workspace', disk, '--', 'sleep', '60'], { cwd: disk });
    let sessions: { id: string; confinement?: { limits: string[]; notInForce: string[]; degraded: string[] } }[] = [];
    for (let tries = 0; tries < 100 && sessions[0]?.confinement === undefined; tries++)
      ({ sessions } = JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { sessions: typeof sessions });
    const [session] = sessions;
    const people = (await rig.intramur(['status'])).stdout;
    child.kill('SIGTERM');
    await finished(child);
    expect(session?.confinement?.limits.join('\n')).toMatch(/one file: \d+ bytes\n/);
    expect(session?.confinement?.notInForce.join('\n')).toMatch(/memory in all: not asked for/);
    expect(people).toMatch(/^ {4}one file: \d+ bytes$/m);
    expect(people).toMatch(/^ {4}not in force: memory in all: not asked for/m);
    const { stdout } = await rig.intramur(['ledger', 'show', '--session', session?.id ?? '', '--json']);
    const entry = (JSON.parse(stdout) as { entries: Entry[] }).entries.find(({ action }) => action === 'session.confine');
    expect(entry?.detail).toMatchObject({ mode: 'direct', limits: session?.confinement?.limits, degraded: [] });
  });

  it('are named in the summary and in the ledger', async () => {
    const { summary, closing } = await run('true');
    expect(summary.limits.join('\n')).toMatch(/one file: \d+ bytes\n/);
    expect(closing?.detail?.['limits']).toEqual(summary.limits);
    expect(summary.halted).toBeUndefined();
  });

  it.skipIf(!canLimitMemory)(
    `of memory, when it is reached, is said${canLimitMemory ? '' : ', skipped: no control group may be made here'}`,
    async () => {
      const limited = (script: string) =>
        rig.intramur(['run', '--mode', 'direct', '--workspace', disk, '--limit-memory', '64M', '--', process.execPath, '-e', script], {
          cwd: disk,
        });
      const reached = await limited('const held = []; for (;;) held.push(Buffer.alloc(1e7, 1));');
      expect(reached.code).toBe(137);
      expect(reached.stderr).toMatch(
        /^intramur: the limit of memory was reached \(--limit-memory\): the kernel ended \d+ of the processes$/m,
      );
      const ended = await limited('process.kill(process.pid, "SIGKILL")');
      expect([ended.code, ended.stderr.includes('limit of memory')]).toEqual([137, false]);
    },
  );

  it.skipIf(!canMount).each([
    ['bytes', 'head -c 40M /dev/zero > big; sleep 60', /no space/],
    ['files', 'i=0; while [ $i -lt 1500 ]; do : > f$i; i=$((i+1)); done; sleep 60', /no room for files/],
  ])(`a disk full of %s ends it${canMount ? '' : ', skipped: only root can have a small disk'}`, async (_name, script, reason) => {
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=2000', 'none', disk]);
    isMounted = true;
    const { code, stderr, summary, closing } = await run(script);
    spawnSync('umount', ['-l', disk]);
    isMounted = false;
    expect([code, summary.halted, closing?.detail?.['halted']]).toEqual([137, expect.stringMatching(reason), summary.halted]);
    expect(stderr).toMatch(reason);
  });
});
