// Programs see a date that is not this machine's, however they ask; where that cannot be had, they do not run.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { doctor } from '../doctor.ts';
import { launch } from '../launch.ts';
import { childrenOf } from '../process-status.ts';
import { boxIn, closeAll } from '../testdata/box.ts';
import { clockPatches } from './vdso.ts';

const { mode, layers } = await doctor();
const reason = process.arch === 'x64' ? (layers.find(({ ok }) => !ok)?.reason ?? '') : 'x86_64 only';
const isSkipped = mode === 'none' || process.arch !== 'x64';
const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-clock-')));
afterAll(() => {
  spawnSync('chmod', ['-R', 'u+rwX', scratch]);
  fs.rmSync(scratch, { recursive: true, force: true });
});

const day = 86_400_000;
let sessions = 0;

async function start(argv: readonly string[], clockAheadMs: number) {
  const session = path.join(scratch, String(sessions++));
  const plan = boxIn(session, {
    argv: ['/bin/sh', '-c', 'exec "$@" > out 2>&1', 'sh', ...argv],
    readOnly: [path.dirname(path.dirname(process.execPath))],
    clockAheadMs,
    cacheDir: path.join(scratch, 'cache'),
  });
  const { workspace } = plan;
  return { workspace, launched: await launch(plan, { listening: closeAll }) };
}

async function outputOf(argv: readonly string[], clockAheadMs: number): Promise<string> {
  const { workspace, launched } = await start(argv, clockAheadMs);
  await launched.exited;
  return fs.readFileSync(path.join(workspace, 'out'), 'utf8').trim();
}

/** Says what time it is in milliseconds since 1970. */
const tellers: readonly [string, readonly string[]][] = [
  ['Node', [process.execPath, '-p', 'Date.now()']],
  ['a child of a child', ['/bin/sh', '-c', 'exec /bin/sh -c "echo $(date +%s%3N)"']],
  ['a thread of Node', [process.execPath, '-e', "new (require('worker_threads').Worker)('console.log(Date.now())', { eval: true })"]],
  ['time(2), by Perl', ['/usr/bin/perl', '-e', 'print time() * 1000']],
];

describe.skipIf(isSkipped)(`a shifted clock${isSkipped ? `, skipped: ${reason}` : ''}`, () => {
  it.each(tellers)('is what a program sees: %s', async (_name, argv) => {
    for (const ahead of [200 * day, -400 * day]) {
      const off = Number(await outputOf(argv, ahead)) - Date.now() - ahead;
      expect(Math.abs(off)).toBeLessThan(20_000);
    }
  });

  it('durations stay what they are', async () => {
    const script = 'const a = performance.now(); setTimeout(() => console.log(Math.round(performance.now() - a)), 200)';
    const ms = Number(await outputOf([process.execPath, '-e', script], 200 * day));
    expect(ms).toBeGreaterThanOrEqual(195);
    expect(ms).toBeLessThan(5000);
  });

  it('who waits until a moment of the clock inside waits no longer than that', async () => {
    const script =
      'import threading, time\nc = threading.Condition()\nwith c: c.wait(0.2)\nl = threading.Lock(); l.acquire(); l.acquire(timeout=0.2)\nprint("woke")';
    expect(await outputOf(['/usr/bin/python3', '-c', script], 200 * day)).toBe('woke');
  });

  it.each(['the one that asks', 'the one that answers'])('a supervisor that is killed (%s) shows nobody the true clock', async (which) => {
    // By then this one has asked often, and what it starts asks for the first time.
    const script = `
import os, subprocess, time
def told(ask):
    try: print(ask(), flush=True)
    except Exception: print("none", flush=True)
told(time.time)
while not os.path.exists("go"): pass
told(time.time)
told(lambda: time.clock_gettime(time.CLOCK_REALTIME))
told(lambda: subprocess.run(["/bin/date", "+%s"], capture_output=True, text=True).stdout.strip() or "none")`;
    const { workspace, launched } = await start(['/usr/bin/python3', '-c', script], 200 * day);
    const lines = () => fs.readFileSync(path.join(workspace, 'out'), { encoding: 'utf8', flag: 'a+' }).split('\n').slice(0, -1);
    await expect.poll(() => lines().length, { timeout: 20_000 }).toBe(1);
    const answering = childrenOf(launched.pid).find((pid) => fs.readlinkSync(`/proc/${pid}/exe`).includes('/init/')) ?? 0;
    process.kill(which === 'the one that asks' ? (childrenOf(answering)[0] ?? 0) : answering, 'SIGKILL');
    fs.writeFileSync(path.join(workspace, 'go'), '');
    await launched.exited;
    const [before, ...after] = lines();
    expect(Math.abs(Number(before) * 1000 - Date.now() - 200 * day)).toBeLessThan(60_000);
    expect(after).toEqual(['none', 'none', 'none']);
  });

  it('of a vDSO that is not understood nothing is guessed', () => {
    expect(() => clockPatches(Buffer.alloc(8192))).toThrow(/vDSO/);
  });
});
