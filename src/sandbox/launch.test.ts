// The launch as the launcher sees it: listeners before the program, exit codes and signals as they are, nothing left behind.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

  it('a program that cannot be executed ends as in a shell', async () => {
    expect((await run('', { argv: ['/nonexistent/program'] })).exit).toEqual({ code: 127, signal: null });
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
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(fs.existsSync(path.join(workspace, 'started'))).toBe(false);
      const left = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).includes(mark));
      // For a moment after it has started its inner process, bubblewrap's outer one can die without it; that waits for nobody then.
      for (const pid of left) process.kill(Number(pid), 'SIGKILL');
      if (delayMs >= 100) expect(left).toEqual([]);
    }
  }, 60_000);

  it('the program has no way to the launcher: only the three standard streams are open in it', async () => {
    const { file } = await run('ls /proc/self/fd > fds; ls /proc/1/fd > first || true');
    // The fourth is the directory that is being listed.
    expect(file('fds')).toBe('0\n1\n2\n3\n');
    const { channel, status } = initFds;
    expect(file('first').split('\n')).not.toEqual(expect.arrayContaining([expect.toBeOneOf([String(channel), String(status)])]));
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

describe.skipIf(enforcement === 'none')(`repositories made in direct mode${enforcement === 'none' ? `, skipped: ${why}` : ''}`, () => {
  let changes: Awaited<ReturnType<Awaited<ReturnType<typeof launch>>['changes']>>;
  let workspace = '';

  beforeAll(async () => {
    const done = await run(
      `mkdir -p made/.git/hooks made/.git/objects plain/.git/hooks;
       echo ref > made/.git/HEAD; echo ref > plain/.git/HEAD; echo evil > made/.git/hooks/post-checkout; echo x > plain/.git/hooks/x.sample
       printf '[core]\\n\\tfsmonitor = evil\\n' > made/.git/config; printf '[core]\\n\\tbare = false\\n' > plain/.git/config
       echo 'gitdir: made/.git' > gitfile; mkdir sub; mv gitfile sub/.git; echo '{}' > package.json; echo text > notes.txt`,
    );
    changes = await done.launched.changes();
    workspace = done.plan.workspace;
  });

  it('are taken out of force when they would run something, and reported', () => {
    expect(changes.disarmed).toEqual([
      'made/.git/hooks.disarmed-by-intramur',
      'made/.git/config.disarmed-by-intramur',
      'sub/.git.disarmed-by-intramur',
    ]);
    expect(fs.existsSync(path.join(workspace, 'plain/.git/config'))).toBe(true);
    expect(fs.existsSync(path.join(workspace, 'made/.git/config'))).toBe(false);
  });

  it('leave files of every day in place, listed as sensitive', () => {
    expect(changes.sensitive).toContain('package.json');
    expect(changes.sensitive).not.toContain('notes.txt');
    expect(fs.existsSync(path.join(workspace, 'package.json'))).toBe(true);
  });

  describe('under any name', () => {
    const repository = (at: string): string => `mkdir -p ${at}/objects ${at}/refs ${at}/hooks; echo 'ref: refs/heads/main' > ${at}/HEAD`;
    const hook = (at: string): string => `printf '#!/bin/sh\\n' > ${at}/hooks/post-receive; chmod +x ${at}/hooks/post-receive`;
    const steering = "printf '[core]\\n\\tbare = false\\n\\tworktree = ..\\n\\tfsmonitor = evil\\n'";
    const off = '.disarmed-by-intramur';
    it.each<[string, string, string[]]>([
      ['a bare one', `git init -q --bare b.git; ${hook('b.git')}`, [`b.git/hooks${off}`]],
      ['one with a work tree elsewhere', `${repository('c.git')}; ${steering} > c.git/config`, [`c.git/config${off}`]],
      ['the workspace itself', `${repository('.')}; ${hook('.')}`, [`hooks${off}`]],
      [
        'one in the hooks of another',
        `${repository('a/hooks')}; ${repository('a')}; ${hook('a/hooks')}`,
        [`a/hooks/hooks${off}`, `a/hooks${off}`],
      ],
      ['one that takes another place', `${repository('x')}; mv x y; ${hook('y')}`, [`y/hooks${off}`]],
      [
        'one that has the rest in another directory',
        `mkdir -p r s/objects s/refs; echo ref > r/HEAD; echo ../s > r/commondir; ${steering} > s/config`,
        [`r/commondir${off}`],
      ],
      [
        'one that has the rest above it',
        `mkdir -p s/worktrees/r s/objects s/refs; echo ref > s/worktrees/r/HEAD; echo ../.. > s/worktrees/r/commondir; ${steering} > s/config`,
        [`s/worktrees/r/commondir${off}`],
      ],
      [
        'one behind a file',
        `${repository('store')}; ${hook('store')}; mkdir w; echo 'gitdir: ../store' > w/.git`,
        [`store/hooks${off}`, `w/.git${off}`],
      ],
      ['one that is closed', `${repository('z')}; ${hook('z')}; chmod 311 z`, [`z/hooks${off}`]],
      ['one with the new name taken', `${repository('n')}; ${hook('n')}; mkdir -p n/hooks${off}/x`, [`n/hooks${off}-2`]],
      [
        'one whose way to the rest ends in a blank that is none for git',
        `mkdir -p s/worktrees/r s/objects s/refs; echo ref > s/HEAD; cp s/HEAD s/worktrees/r; printf '../..\\302\\240\\n' > s/worktrees/r/commondir`,
        [`s/worktrees/r/commondir${off}`],
      ],
      [
        'one whose way to the rest leads to what is none',
        'mkdir -p s/worktrees/r s/objects; echo ref > s/HEAD; cp s/HEAD s/worktrees/r; echo ../.. > s/worktrees/r/commondir',
        [`s/worktrees/r/commondir${off}`],
      ],
      [
        'one with a setting behind a blank that is none for git',
        `${repository('u')}; printf '[core]\\n\\302\\240bare = false\\n' > u/config`,
        [`u/config${off}`],
      ],
      ['one whose hooks are a link', `${repository('l')}; rmdir l/hooks; mkdir empty; ln -s ../empty l/hooks`, [`l/hooks${off}`]],
      [
        'one in the middle of something',
        `git init -q t; mkdir t/.git/rebase-merge; echo 'exec evil' > t/.git/rebase-merge/git-rebase-todo; git init -q --bare m; mkdir m/sequencer`,
        [`t/.git/rebase-merge${off}`, `m/sequencer${off}`],
      ],
      [
        'an honest worktree',
        'git init -q --bare h; mkdir -p h/worktrees/w; cp h/HEAD h/worktrees/w; echo ../.. > h/worktrees/w/commondir',
        [],
      ],
      ['an honest one', 'git init -q --bare honest; git init -q tree; mkdir -p src/hooks src/objects src/refs; echo x > src/hooks/x', []],
    ])('%s', async (_name, script, expected) => {
      const { launched } = await run(script);
      expect((await launched.changes()).disarmed).toEqual(expected);
    });

    it('stay as they were when they were there before, with what is new in them looked at', async () => {
      const plan = planOf(
        `echo evil > there/hooks/post-receive; echo evil >> there/config; mv there/hooks there/h
         ${steering} > there/config.worktree; echo ../evil > there/commondir; echo ../evil > .git/commondir
         ${repository('.git/modules/new')}; ${hook('.git/modules/new')}; true`,
      );
      const before = `${repository('there')}; ${hook('there')}; echo '[core]' > there/config; ${repository('.git')}; ${hook('.git')}; rm -r .git/refs`;
      spawnSync('/bin/sh', ['-ec', before], { cwd: plan.workspace });
      const launched = await launch(plan, { listening: closeAll });
      await launched.exited;
      expect([...(await launched.changes()).disarmed].sort()).toEqual(
        ['.git/commondir', '.git/modules/new/hooks', 'there/commondir', 'there/config.worktree'].map((name) => `${name}${off}`),
      );
      const text = (name: string): string => fs.readFileSync(path.join(plan.workspace, name), 'utf8');
      expect([text('there/config'), text('there/hooks/post-receive'), text('.git/hooks/post-receive')]).toEqual([
        '[core]\n',
        '#!/bin/sh\n',
        '#!/bin/sh\n',
      ]);
    });

    it('in the middle of something new are stopped, and what was under way is left there with its changes named', async () => {
      const plan = planOf(
        `for at in .git .git/worktrees/w .git/modules/m; do mkdir -p $at/rebase-apply; echo 'exec evil' > $at/rebase-apply/x; done
         echo 'exec evil' >> .git/rebase-merge/git-rebase-todo`,
      );
      const before = `git init -q .; mkdir -p .git/worktrees/w .git/rebase-merge; echo pick > .git/rebase-merge/git-rebase-todo
        cp .git/HEAD .git/worktrees/w; echo ../.. > .git/worktrees/w/commondir; git init -q --bare .git/modules/m`;
      spawnSync('/bin/sh', ['-ec', before], { cwd: plan.workspace });
      const launched = await launch(plan, { listening: closeAll });
      await launched.exited;
      const { disarmed, sensitive } = await launched.changes();
      expect([...disarmed].sort()).toEqual(['.git/modules/m', '.git', '.git/worktrees/w'].map((at) => `${at}/rebase-apply${off}`).sort());
      expect(sensitive).toContain('.git/rebase-merge/git-rebase-todo');
    });

    it.each<[string, string, string, string[]]>([
      [
        'one whose branch is not yet born',
        `mkdir -p sub/.git/objects; ln -s refs/heads/master sub/.git/HEAD; ${steering} > sub/.git/config`,
        'mkdir -p sub/.git/refs/heads',
        [`sub/.git/config${off}`],
      ],
      [
        'one that is none yet',
        `mkdir -p sub/.git/objects; ${steering} > sub/.git/config`,
        'mkdir -p sub/.git/refs; echo ref > sub/.git/HEAD',
        [`sub/.git/config${off}`],
      ],
      [
        'one in a submodule, whose branch is not yet born',
        `git init -q sub; mkdir -p sub/.git/modules/m/objects; ln -s refs/heads/x sub/.git/modules/m/HEAD; ${steering} > sub/.git/modules/m/config`,
        'mkdir -p sub/.git/modules/m/refs/heads',
        [`sub/.git/modules/m/config${off}`],
      ],
      [
        'one that becomes a file',
        'mkdir -p sub/.git/objects',
        `mv sub/.git moved; echo 'gitdir: ../moved' > sub/.git; touch -d '2001-01-01' sub/.git`,
        [`sub/.git${off}`],
      ],
      ['one in a directory of any name', `mkdir -p fx/objects; ${steering} > fx/config`, `${repository('fx')}`, [`fx/config${off}`]],
    ])('are found where two sessions make them: %s', async (_name, first, second, expected) => {
      const one = await run(first);
      const { workspace: same, cwd } = one.plan;
      const early = (await one.launched.changes()).disarmed;
      const two = await run(second, { workspace: same, cwd });
      expect([...early, ...(await two.launched.changes()).disarmed]).toEqual(expected);
    });

    it('are listed as sensitive where what they run is left in place', async () => {
      const { launched } = await run('git init -q --bare b.git; rm b.git/hooks/*; touch b.git/hooks/x.sample');
      expect((await launched.changes()).sensitive).toEqual(['b.git/HEAD', 'b.git/config', 'b.git/hooks', 'b.git/hooks/x.sample']);
    });
  });
});
