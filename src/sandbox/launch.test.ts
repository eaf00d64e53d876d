// The launch as the launcher sees it: listeners before the program, exit codes and signals as they are, nothing left behind.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { codeOf } from '../core/index.ts';
import { doctor } from './doctor.ts';
import { initFds } from './init-program.ts';
import { launch } from './launch.ts';
import type { LaunchPlan } from './plan.ts';
import { boxIn, closeAll } from './testdata/box.ts';

const { mode: enforcement, layers } = await doctor();
const why = layers.find(({ ok }) => !ok)?.reason ?? '';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-launch-')));
afterAll(() => {
  spawnSync('chmod', ['-R', 'u+rwX', scratch]);
  fs.rmSync(scratch, { recursive: true, force: true });
});

let sessions = 0;

function planOf(script: string, changes: Partial<LaunchPlan> = {}): LaunchPlan {
  return boxIn(path.join(scratch, 'sessions', String(sessions++)), {
    argv: ['/bin/sh', '-c', script],
    ports: [443],
    cacheDir: path.join(scratch, 'cache'),
    ...changes,
  });
}

function commandOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

async function run(script: string, changes: Partial<LaunchPlan> = {}) {
  const plan = planOf(script, changes);
  const launched = await launch(plan, { listening: closeAll });
  return { plan, exit: await launched.exited, launched, file: (name: string) => fs.readFileSync(path.join(plan.workspace, name), 'utf8') };
}

describe.skipIf(enforcement === 'none')(`launch${enforcement === 'none' ? `, skipped: ${why}` : ''}`, () => {
  it.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['exit 255', 255],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
    ['kill -SEGV $$', 139],
  ])('%s comes back as %i', async (script, code) => {
    expect((await run(script)).exit).toEqual({ code, signal: null });
  });

  it('hands over every listener before the program starts', async () => {
    const plan = planOf('echo started > started', { ports: [443, 80, 22, 443, 53] });
    const seen: { roles: string[]; hasStarted: boolean }[] = [];
    const launched = await launch(plan, {
      listening(listeners) {
        seen.push({
          roles: listeners.tcp.map(({ role, port }) => `${role} ${port}`),
          hasStarted: fs.existsSync(path.join(plan.workspace, 'started')),
        });
        closeAll(listeners);
      },
    });
    await launched.exited;
    expect(seen).toEqual([{ roles: ['any 443', 'any 80', 'any 22', 'proxy 3128', 'gateway 4180', 'dns-tcp 53'], hasStarted: false }]);
    expect(fs.existsSync(path.join(plan.workspace, 'started'))).toBe(true);
  });

  it('does not start the program when the listeners cannot be served', async () => {
    const plan = planOf('echo started > started');
    const failing = launch(plan, {
      listening() {
        throw new Error('the egress does not come up');
      },
    });
    await expect(failing).rejects.toThrow('the egress does not come up');
    expect(fs.existsSync(path.join(plan.workspace, 'started'))).toBe(false);
  });

  it('gives the program exactly the environment of the plan', async () => {
    const { file } = await run('env -i /bin/true; /usr/bin/env > env', { env: { HOME: '/home/agent', PATH: '/usr/bin:/bin', TZ: 'UTC' } });
    const names = file('env')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
      .filter((name) => name !== 'PWD' && name !== '_' && name !== 'OLDPWD' && name !== 'SHLVL');
    expect(names.sort()).toEqual(['HOME', 'PATH', 'TZ']);
  });

  it('puts files into HOME, and nowhere else', async () => {
    const { file } = await run('cat ~/.tool/config.json > seen; stat -c %a ~/.tool/config.json >> seen', {
      homeFiles: [{ path: '.tool/config.json', text: '{"seeded":true}\n' }],
    });
    expect(file('seen')).toBe('{"seeded":true}\n600\n');
    await expect(run('true', { homeFiles: [{ path: '../../etc/passwd', text: '' }] })).rejects.toThrow('cannot be put into HOME');
  });

  it.each([
    ['/', 'a directory of the system'],
    ['/tmp', 'a directory of the system'],
    ['/usr', 'a directory of the system'],
    [os.userInfo().homedir, 'your home directory'],
    [path.dirname(os.userInfo().homedir), /your home directory|a directory of the system/],
  ])('refuses %s as a workspace', async (workspace, message) => {
    await expect(launch(planOf('true', { workspace, cwd: workspace }), { listening: closeAll })).rejects.toThrow(message);
  });

  it.each([
    ['.codex', '.codex'],
    ['.ssh/config.d', '.ssh/config.d'],
    ['.config', '.config/gcloud'],
    ['.local/share', '.local/share/opencode'],
  ])('refuses ~/%s as a workspace: keys and logins stay outside', async (name, made) => {
    const home = path.join(scratch, 'home');
    fs.mkdirSync(path.join(home, made), { recursive: true });
    await expect(run('true', { home, workspace: path.join(home, name) })).rejects.toThrow('a directory of keys and logins');
  });

  it("takes a worktree below an agent's own directory", async () => {
    const home = path.join(scratch, 'home');
    const workspace = path.join(home, '.codex', 'worktrees', 'one');
    fs.mkdirSync(workspace, { recursive: true });
    fs.writeFileSync(path.join(home, '.codex', 'auth.json'), 'real');
    await run(`cat ${home}/.codex/auth.json > seen 2>/dev/null; true`, { home, workspace, cwd: workspace, mode: 'direct' });
    expect(fs.readFileSync(path.join(workspace, 'seen'), 'utf8')).toBe('');
  });

  it.each(['/', '/usr/local', '/etc', 'relative', ''])('refuses %j as HOME', async (home) => {
    await expect(run('true', { home })).rejects.toThrow('cannot be a home inside');
  });

  it('keeps the workspace at its own path below HOME and finds it by the name that was used', async () => {
    const home = path.join(scratch, 'home');
    const real = path.join(home, 'deep', 'project');
    fs.mkdirSync(real, { recursive: true });
    fs.writeFileSync(path.join(home, 'secret'), 'x');
    fs.symlinkSync(path.join(home, 'deep'), path.join(scratch, 'named'));
    const { exit } = await run(`ls ${home} > listing; pwd >> listing; test -f ${scratch}/named/project/listing && echo found >> listing`, {
      home,
      workspace: path.join(scratch, 'named', 'project'),
      cwd: path.join(scratch, 'named', 'project'),
    });
    expect(exit.code).toBe(0);
    expect(fs.readFileSync(path.join(real, 'listing'), 'utf8')).toBe(`deep\n${real}\nfound\n`);
  });

  it('leaves the workspace untouched in overlay mode', async () => {
    const plan = planOf('echo changed > file; rm other; mkdir new', { mode: 'overlay' });
    fs.writeFileSync(path.join(plan.workspace, 'file'), 'before');
    fs.writeFileSync(path.join(plan.workspace, 'other'), 'before');
    const launched = await launch(plan, { listening: closeAll });
    expect(await launched.exited).toEqual({ code: 0, signal: null });
    expect(fs.readdirSync(plan.workspace).sort()).toEqual(['file', 'other']);
    expect(fs.readFileSync(path.join(plan.workspace, 'file'), 'utf8')).toBe('before');
    expect(await launched.changes()).toEqual({ changed: 1, added: 1, deleted: 1, sensitive: [], disarmed: [] });
  });

  it('names as sensitive what can run later, and not what is never applied', async () => {
    const script = 'mkfifo Makefile; ln -s /etc .vscode; echo x > run; chmod u+s run; echo x > package.json';
    const launched = await launch(planOf(script, { mode: 'overlay' }), { listening: closeAll });
    await launched.exited;
    expect(await launched.changes()).toEqual({ changed: 0, added: 4, deleted: 0, sensitive: ['package.json'], disarmed: [] });
  });

  it.runIf(process.geteuid?.() === 0)('started by root in the workspace of another user, acts as that user', async () => {
    const [uid, gid] = [65_532, 65_531];
    fs.chmodSync(scratch, 0o755);
    for (const mode of ['overlay', 'direct'] as const) {
      const plan = planOf(
        'id -u > who; grep CapEff /proc/self/status >> who; cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern; true',
        { mode },
      );
      fs.chownSync(plan.workspace, uid, gid);
      const launched = await launch(plan, { listening: closeAll });
      expect(await launched.exited).toEqual({ code: 0, signal: null });
      const file = path.join(mode === 'overlay' ? (plan.overlay?.upper ?? '') : plan.workspace, 'who');
      expect([fs.readFileSync(file, 'utf8'), fs.statSync(file).uid, fs.statSync(file).gid]).toEqual([
        `${uid}\nCapEff:\t0000000000000000\n`,
        uid,
        gid,
      ]);
    }
  });

  it('says what it could not set up, and starts nothing', async () => {
    const clash = launch(planOf('true', { proxyPort: 4180 }), { listening: closeAll });
    await expect(clash).rejects.toMatchObject({ code: 'SANDBOX_SETUP', message: expect.stringContaining('EADDRINUSE') });
  });

  it('rejects when bubblewrap fails, before the word to start or after it', async () => {
    const ended = launch(planOf('true', { hostName: 'x'.repeat(100) }), { listening: closeAll }).then(({ exited }) => exited);
    await expect(ended).rejects.toSatisfy((fault) => codeOf(fault) === 'SANDBOX_SETUP');
  });

  it.each([
    ['is not there', '/nonexistent/program', 'ENOENT'],
    ['is a directory', '/usr', 'EACCES'],
    ['is not executable', '/etc/passwd', 'EACCES'],
    ['has no format', 'garbage', 'ENOEXEC'],
    ['names an interpreter that is not there', 'script', 'ENOENT'],
  ])('a program that %s is not started, and the launcher hears why', async (_what, program, notStarted) => {
    const plan = planOf('', { argv: [path.resolve(scratch, 'programs', program)] });
    const workspace = path.join(scratch, 'programs');
    fs.mkdirSync(workspace, { recursive: true });
    fs.writeFileSync(path.join(workspace, 'garbage'), 'no program\n', { mode: 0o755 });
    fs.writeFileSync(path.join(workspace, 'script'), '#!/no/such/interpreter\n', { mode: 0o755 });
    const launched = await launch({ ...plan, workspace, cwd: workspace }, { listening: closeAll });
    expect(await launched.exited).toEqual({ code: 125, signal: null, notStarted });
  });

  it('a code that the program gives is its own, whatever it is', async () => {
    for (const code of [2, 125, 126, 127]) expect((await run(`exit ${code}`)).exit).toEqual({ code, signal: null });
  });

  it('the program gets its arguments as they are, and signals as any program does', async () => {
    const { file } = await run('', {
      argv: ['/bin/sh', '-c', 'printf "%s|" "$0" "$@" > args; grep SigIgn /proc/self/status > ignored', 'a b', '', '--', '$HOME', 'ü\n'],
    });
    expect(file('args')).toBe('a b||--|$HOME|ü\n|');
    expect(file('ignored')).toBe('SigIgn:\t0000000000000000\n');
  });

  it('a signal is for the program, which ends in its own way', async () => {
    const plan = planOf('trap "echo saved > saved; exit 9" TERM; echo ready > ready; while :; do sleep 0.02; done');
    const launched = await launch(plan, { listening: closeAll });
    while (!fs.existsSync(path.join(plan.workspace, 'ready'))) await new Promise((resolve) => setTimeout(resolve, 10));
    launched.signal('SIGTERM');
    expect(await launched.exited).toEqual({ code: 9, signal: null });
    expect(fs.existsSync(path.join(plan.workspace, 'saved'))).toBe(true);
  });

  it('kill ends everything inside, however early it comes', async () => {
    for (const delayMs of [0, 0, 1, 2, 5, 10, 20, 50]) {
      const mark = `60.${process.pid}`;
      const launched = await launch(planOf(`sleep ${mark} & sleep ${mark}`), { listening: closeAll });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      launched.kill();
      const { code, signal } = await launched.exited.catch(() => ({ code: 137, signal: null }));
      expect(signal ?? code).toSatisfy((end) => end === 137 || end === 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 30));
      const commands = fs
        .readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => commandOf(pid));
      expect(commands.filter((command) => command.includes(mark))).toEqual([]);
    }
  });

  it('a launcher that dies before its word leaves nothing that starts, however long bubblewrap has been ready', async () => {
    for (const delayMs of [0, 5, 20, 100, 400]) {
      const workspace = path.join(scratch, `wordless-${delayMs}`);
      fs.mkdirSync(workspace);
      const mark = `61.${process.pid}${delayMs}`;
      const plan = planOf(`echo started > started; sleep ${mark}`, { workspace, cwd: workspace });
      const code = `import { launch } from ${JSON.stringify(path.join(import.meta.dirname, 'launch.ts'))};
        await launch(${JSON.stringify(plan)}, {
          listening: () => new Promise(() => setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${delayMs})),
        });`;
      expect(spawnSync(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' }).signal).toBe('SIGKILL');
      const left = () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).includes(mark));
      for (let i = 0; i < 100 && left().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 30));
      expect(left()).toEqual([]);
      expect(fs.existsSync(path.join(workspace, 'started'))).toBe(false);
    }
  }, 60_000);

  it('the program has no way to the launcher: only the three standard streams are open in it', async () => {
    const { file } = await run('ls /proc/self/fd > fds; ls /proc/1/fd > first || true');
    // The fourth is the directory that is being listed.
    expect(file('fds')).toBe('0\n1\n2\n3\n');
    const own = Object.values(initFds).map(String);
    expect(file('first').split('\n')).not.toEqual(expect.arrayContaining([expect.toBeOneOf(own)]));
  });

  it('the death of the launcher ends the program', async () => {
    const workspace = path.join(scratch, 'orphan');
    fs.mkdirSync(workspace);
    const plan = planOf('while :; do echo tick >> ticks; sleep 0.05; done', { workspace, cwd: workspace });
    const code = `import { launch } from ${JSON.stringify(path.join(import.meta.dirname, 'launch.ts'))};
      await launch(${JSON.stringify(plan)}, { listening() {} }); setInterval(() => {}, 1000);`;
    const launcher: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
    const ticks = path.join(workspace, 'ticks');
    const size = (): number => fs.statSync(ticks, { throwIfNoEntry: false })?.size ?? 0;
    const until = async (isDone: () => boolean): Promise<void> => {
      for (let i = 0; i < 200 && !isDone(); i++) await new Promise((resolve) => setTimeout(resolve, 25));
    };
    await until(() => size() > 0);
    expect(size()).toBeGreaterThan(0);
    launcher.kill('SIGKILL');
    await new Promise((resolve) => launcher.once('exit', resolve));
    // Two looks with several ticks between them: nobody writes any more.
    let last = -1;
    await until(() => {
      const isSame = size() === last;
      last = size();
      return isSame;
    });
    const settled = size();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(size()).toBe(settled);
  });

  it('copies a standard input that is a file, so that it cannot be opened for writing', async () => {
    const workspace = path.join(scratch, 'stdin');
    fs.mkdirSync(workspace);
    const precious = path.join(scratch, 'precious');
    fs.writeFileSync(precious, 'as before\n');
    const plan = planOf('cat > copy; echo evil > /proc/self/fd/0', { workspace, cwd: workspace });
    const code = `import { launch } from ${JSON.stringify(path.join(import.meta.dirname, 'launch.ts'))};
      const l = await launch(${JSON.stringify(plan)}, { listening() {} }); await l.exited; process.exit(0);`;
    const input = fs.openSync(precious, 'r+');
    spawnSync(process.execPath, ['--input-type=module', '-e', code], { stdio: [input, 'ignore', 'ignore'] });
    fs.closeSync(input);
    expect(fs.readFileSync(path.join(workspace, 'copy'), 'utf8')).toBe('as before\n');
    expect(fs.readFileSync(precious, 'utf8')).toBe('as before\n');
  });

  it('leaves no control group behind, whatever still runs inside when the program ends', () => {
    const plan = planOf('sleep 60 & sleep 60 & exit 0');
    const code = `import { launch } from ${JSON.stringify(path.join(import.meta.dirname, 'launch.ts'))};
      for (let i = 0; i < 8; i++) await (await launch(${JSON.stringify(plan)}, { listening() {} })).exited;
      setTimeout(() => process.exit(0), 200);`;
    const { pid, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
    const { stdout } = spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `intramur-${pid}-*`], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });

  it('sixty launches leave no descriptor, process, mount or file', async () => {
    const count = () => ({
      descriptors: fs.readdirSync('/proc/self/fd').length,
      children: fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim(),
      mounts: fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length,
      cache: fs.readdirSync(path.join(scratch, 'cache'), { recursive: true }).length,
    });
    for (const mode of ['direct', 'overlay'] as const) {
      const plan = planOf('true', { mode });
      const once = async () => {
        const launched = await launch(plan, { listening: closeAll });
        await launched.exited;
      };
      await once();
      const before = count();
      for (let i = 0; i < 30; i++) await once();
      expect(count()).toEqual(before);
      expect(fs.readdirSync(plan.workspace)).toEqual([]);
    }
  }, 180_000);
});
