// The first looks at a workspace, taken beside the session: what they look at, what they cannot be led to, and that nothing is left of them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { doctor } from '../doctor.ts';
import { elf } from '../elf.ts';
import { imageFile } from '../init-file.ts';
import { launch } from '../launch.ts';
import { childrenOf } from '../process-status.ts';
import type { Arch } from '../syscall-number.ts';
import { SyscallScript } from '../syscall-script.ts';
import { boxIn, closeAll } from '../testdata/box.ts';
import { isWorthWarming, walk, warm } from './warm.ts';

const { mode: enforcement, layers } = await doctor();
const why = layers.find(({ ok }) => !ok)?.reason ?? '';

const arch: Arch = process.arch === 'arm64' ? 'arm64' : 'x64';
const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-warm-')));
afterAll(() => {
  spawnSync('chmod', ['-R', 'u+rwX', scratch]);
  fs.rmSync(scratch, { recursive: true, force: true });
});

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

let made = 0;
const fresh = (): string => path.join(scratch, String(made++));

/** @param make a shell script that fills the tree */
function tree(make: string): string {
  const at = path.join(fresh(), 'tree');
  fs.mkdirSync(at, { recursive: true });
  expect(spawnSync('/bin/bash', ['-ec', make], { cwd: at, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  return at;
}

function start(build: (script: SyscallScript) => void, directory: string): ChildProcess & { pid: number } {
  const script = new SyscallScript(2);
  script.stage('first');
  build(script);
  const image = imageFile(path.join(scratch, 'cache'), elf(script.build(), arch));
  const child = spawn(image, [directory], { stdio: ['ignore', 'pipe', 'ignore'] });
  running.push(child);
  if (child.pid === undefined) throw new Error('it could not be started');
  return Object.assign(child, { pid: child.pid });
}

const stay = (script: SyscallScript): void => void script.attempt('nanosleep', [script.words([60, 0]), 0]).call('exit', [0]);

/** The directories that are open when the walk is over, in the order in which they were opened. */
async function opened(directory: string, entries = 10_000): Promise<string[]> {
  const child = start((script) => {
    walk(script, { argv: 1 }, entries);
    script.call('write', [1, script.text('over'), 4]);
    stay(script);
  }, directory);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return fs
    .readdirSync(`/proc/${child.pid}/fd`)
    .map(Number)
    .sort((a, b) => a - b)
    .map((fd) => fs.readlinkSync(`/proc/${child.pid}/fd/${fd}`))
    .filter((target) => target.startsWith(scratch))
    .map((target) => path.relative(directory, target));
}

describe('the first looks', () => {
  it('go through every directory, the upper ones first', async () => {
    const found = await opened(tree('mkdir -p a/b/c/d e/f g; touch a/1 a/b/2 e/3'));
    expect(found.toSorted()).toEqual(['', 'a', 'a/b', 'a/b/c', 'a/b/c/d', 'e', 'e/f', 'g']);
    const depths = found.map((name) => name.split('/').filter(Boolean).length);
    expect(depths).toEqual(depths.toSorted());
  });

  it('need more than one part of a long listing', async () => {
    const found = await opened(tree('for i in $(seq 600); do mkdir "directory-with-a-long-name-$i"; done'));
    expect(found).toHaveLength(601);
  });

  it('pass over what is hidden, and packages', async () => {
    const found = await opened(tree('mkdir -p .git/objects node_modules/a node_module/b node_modules2/c src/.cache src/node_modules'));
    expect(found.toSorted()).toEqual(['', 'node_module', 'node_module/b', 'node_modules2', 'node_modules2/c', 'src']);
  });

  it('follow no link, open no pipe, and take any name', async () => {
    const elsewhere = tree('mkdir secret');
    const found = await opened(
      tree(
        `ln -s ${elsewhere} out; ln -s . loop; ln -s loop2 loop2; mkfifo pipe; mkdir $'new\\nline' $'\\xff\\xfe' "$(printf 'x%.0s' {1..255})"`,
      ),
    );
    // Two bytes that are no text, as Node shows them.
    expect(new Set(found)).toEqual(new Set(['', 'new\nline', '\ufffd\ufffd', 'x'.repeat(255)]));
  });

  it.each([0, 1, 5, 17])('end after %i entries', async (entries) => {
    const found = await opened(tree('mkdir -p {1..20}/below'), entries);
    expect(found.length).toBeLessThanOrEqual(1 + entries);
    // Two of the entries may have been the directory itself and the one above.
    expect(found.length).toBeGreaterThanOrEqual(1 + entries - 2);
  });

  it.each([
    ['ext4', 0xef53, 4096, true],
    ['tmpfs', 0x01021994, 4096, true],
    ['NFS', 0x6969, 4096, false],
    ['FUSE', 0x65735546, 4096, false],
    ['CIFS', 0xff534d42, 4096, false],
    ['9P', 0x01021997, 4096, false],
    ['another overlay', 0x794c7630, 4096, false],
    ['ext4 with many names at the top', 0xef53, 8 << 20, false],
  ])('of a workspace on %s: %i, %i bytes, %s', (_name, type, size, isWorth) => {
    expect(isWorthWarming({ type, size })).toBe(isWorth);
  });
});

describe('the process that takes them', () => {
  const waiting = (pauseMs: number, directory: string) =>
    start((script) => {
      const warming = warm(script, { argv: 1 }, { entries: 10, pauseMs });
      stay(script);
      warming.placeLoop();
    }, directory);

  async function until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const seen = look();
      if (seen) return seen;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  const statusOf = (pid: number): Record<string, string> =>
    Object.fromEntries(
      fs
        .readFileSync(`/proc/${pid}/status`, 'utf8')
        .split('\n')
        .map((line) => line.split(':\t').map((part) => part.trim())),
    );
  /** After the name, which ends with a parenthesis: state, parent, process group … and the niceness (proc_pid_stat(5)). */
  const statOf = (pid: number): string[] => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];

  it('holds no descriptor and no right, has a group of its own, gives way, and is gone after three seconds', {
    timeout: 30_000,
  }, async () => {
    const parent = waiting(20_000, tree('mkdir a'));
    const pid = await until(() => childrenOf(parent.pid)[0]);
    await until(() => statOf(pid)[16] === '10');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { CapEff, CapPrm } = statusOf(pid);
    const none = '0000000000000000';
    expect({ CapEff, CapPrm, group: statOf(pid)[2], fds: fs.readdirSync(`/proc/${pid}/fd`) }).toEqual({
      CapEff: none,
      CapPrm: none,
      group: String(pid),
      fds: [],
    });
    await until(() => statOf(pid)[0] === 'Z');
    expect(childrenOf(parent.pid)).toEqual([pid]);
  });

  it('ends with its parent', async () => {
    const parent = waiting(20_000, tree('mkdir a'));
    const pid = await until(() => childrenOf(parent.pid)[0]);
    await until(() => statOf(pid)[16] === '10');
    parent.kill('SIGKILL');
    await until(() => !fs.existsSync(`/proc/${pid}`) || statOf(pid)[0] === 'Z');
  });
});

describe.skipIf(enforcement !== 'full')(`a session that is warmed${enforcement === 'full' ? '' : `, skipped: ${why}`}`, () => {
  async function run(script: string, make: string) {
    const session = fresh();
    const plan = boxIn(session, { argv: ['/bin/sh', '-c', script], cacheDir: path.join(scratch, 'cache'), mode: 'overlay' });
    expect(spawnSync('/bin/bash', ['-ec', make], { cwd: plan.workspace }).status).toBe(0);
    const launched = await launch(plan, { listening: closeAll });
    return { plan, exit: await launched.exited, read: (name: string) => fs.readFileSync(path.join(plan.overlay.upper, name), 'utf8') };
  }

  it('leaves what is there as it was, and ends when its program does', async () => {
    const hostile = "mkdir -p a/b shut; echo x > a/b/file; ln -s /etc out; ln -s . loop; mkfifo pipe; mkdir $'new\\nline'; chmod 000 shut";
    const old = 'find . -exec touch -h -a -d 2001-01-01 {} +';
    const { plan, exit } = await run('sleep 0.3', `${hostile}; ${old}`);
    expect(exit).toEqual({ code: 0, signal: null });
    for (const name of ['', 'a', 'a/b', 'a/b/file', 'out', 'loop', 'pipe', 'new\nline', 'shut']) {
      expect([name, fs.lstatSync(path.join(plan.workspace, name)).atime.getUTCFullYear()]).toEqual([name, 2001]);
    }
    expect(fs.readdirSync(plan.overlay.upper)).toEqual([]);
  });

  it('does not show its program who does it', async () => {
    const { read } = await run('for i in 1 2 3 4 5 6 7 8 9 10; do echo /proc/[0-9]*; sleep 0.01; done > seen', 'mkdir -p {1..50}/{1..50}');
    // bubblewrap's own process, the shell, and the command that it may be starting.
    expect(
      new Set(
        read('seen')
          .trim()
          .split('\n')
          .map((line) => line.split(' ').length),
      ),
    ).toEqual(new Set([2]));
  });

  it('leaves no process when it ends before the walk does', async () => {
    const { plan } = await run('true', 'mkdir -p {1..100}/{1..50}');
    const left = (): string[] =>
      fs
        .readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => {
          try {
            return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(plan.workspace);
          } catch {
            return false;
          }
        });
    for (let i = 0; i < 100 && left().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(left()).toEqual([]);
  });
});
