// What people switch such tools off for, one test each, by the numbers of the list in docs/sandbox.md: the ones of files, rights and
// habits. Those of the network are in frictions-network.test.ts.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { doctor } from '../../src/sandbox/index.ts';
import { users } from '../escape/user.ts';
import { createRig, finished, main, type Rig, root } from './rig.ts';

const { mode, layers } = await doctor();
const why = layers.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.close());

const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'protocol.file.allow=always'];
const git = (cwd: string, ...args: string[]): string => execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' });
const everything = (directory: string): string[] => fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();

/** A repository with a worktree beside it and a submodule in it. */
function repository(): { main: string; tree: string } {
  const [lib, top, tree] = ['lib', 'top', 'tree'].map((name) => path.join(rig.workspace, name)) as [string, string, string];
  for (const at of [lib, top]) {
    fs.mkdirSync(at);
    git(at, 'init', '-q', '-b', 'main', '.');
    fs.writeFileSync(path.join(at, 'file'), `of ${path.basename(at)}\n`);
    git(at, 'add', '.');
    git(at, 'commit', '-qm', 'first');
  }
  git(top, 'submodule', 'add', '-q', lib, 'module');
  git(top, 'commit', '-qm', 'a module');
  git(top, 'worktree', 'add', '-q', tree, '-b', 'side');
  return { main: top, tree };
}

describe.skipIf(mode === 'none')(`frictions of files, rights and habits${mode === 'none' ? `, skipped: ${why.join('; ')}` : ''}`, () => {
  it.each(['overlay', 'direct'])(
    '1. git worktrees, submodules and directories inside of a repository work as workspaces (%s)',
    async (how) => {
      const { main: top, tree } = repository();
      const read = 'git status --short | grep "??"; git log --format=%s -1 && echo changed >> file && git diff --stat';
      for (const cwd of [tree, path.join(top, 'module')]) {
        const { code, stdout, stderr } = await rig.intramur(['run', '--mode', how, '--', 'bash', '-c', read], { cwd });
        expect([code, stdout]).toEqual([0, expect.stringContaining('1 file changed')]);
        expect(stdout).not.toContain('??');
        expect(stderr).not.toMatch(/fatal|not a git repository/);
      }
      if (how === 'overlay') {
        const inside = `echo more >> file && git ${identity.join(' ')} commit -qam layered && git log --format=%s -1`;
        for (const cwd of [tree, path.join(top, 'module')]) {
          const { code, stdout } = await rig.intramur(['run', '--', 'bash', '-c', inside], { cwd });
          expect([code, stdout, git(cwd, 'log', '--format=%s', '-1')]).toEqual([0, 'layered\n', expect.not.stringContaining('layered')]);
          expect(await rig.intramur(['apply'], { cwd })).toMatchObject({ code: 0 });
          expect([git(cwd, 'log', '--format=%s', '-1'), git(cwd, 'status', '--short')]).toEqual(['layered\n', '']);
        }
      }
      fs.mkdirSync(path.join(top, 'part'));
      fs.writeFileSync(path.join(top, 'part', 'inner'), 'committed\n');
      git(top, 'add', '.');
      git(top, 'commit', '-qm', 'a part');
      const asked =
        'git status --short . && echo changed >> inner && git log --format=%s -1 && git diff --stat --relative | tail -1 && git rev-parse --show-toplevel';
      const part = await rig.intramur(['run', '--mode', how, '--', 'bash', '-c', asked], { cwd: path.join(top, 'part') });
      expect([part.code, part.stdout]).toEqual([0, `a part\n 1 file changed, 1 insertion(+)\n${top}\n`]);
      git(top, 'checkout', '-q', '.');
      if (how === 'overlay') {
        await rig.intramur(['discard'], { cwd: path.join(top, 'part') });
        const layered = `git status --short; echo more >> inner && git add -A && git ${identity.join(' ')} commit -qm 'of the part'`;
        const { code, stdout } = await rig.intramur(['run', '--', 'bash', '-c', layered], { cwd: path.join(top, 'part') });
        expect([code, stdout, git(top, 'log', '--format=%s', '-1')]).toEqual([0, '', 'a part\n']);
        expect(await rig.intramur(['apply'], { cwd: path.join(top, 'part') })).toMatchObject({ code: 0 });
        expect(git(top, 'show', '--format=%s', '--name-only', '--', '.')).toBe('of the part\n\npart/inner\n');
        expect(git(top, 'status', '--short')).toBe('');
      }
      const commit = `echo more >> file && git ${identity.join(' ')} commit -qam inside && git log --format=%s -1`;
      const { code, stdout } = await rig.intramur(['run', '--mode', how, '--', 'bash', '-c', commit], { cwd: top });
      expect([code, stdout]).toEqual([0, 'inside\n']);
      git(top, 'fsck', '--no-progress');
    },
  );

  it('6. a local tool asks for no login: an empty home, no account, no question', async () => {
    const home = path.join(rig.dir, 'new-home');
    fs.mkdirSync(home);
    const env = { HOME: home, INTRAMUR_HOME: path.join(home, 'state') };
    const { code, stdout } = await rig.intramur(['run', '--', 'echo', 'ran'], { env });
    await rig.intramur(['down'], { env });
    expect([code, stdout]).toEqual([0, 'ran\n']);
  });

  it("7. there is no image to build: the company's own tools run from where they are installed", async () => {
    const bin = path.join(rig.home, 'toolchains', 'private-7.1', 'bin');
    fs.mkdirSync(bin, { recursive: true });
    fs.writeFileSync(path.join(bin, 'private-cc'), '#!/bin/sh\necho "private 7.1 $1"\n', { mode: 0o755 });
    const { code, stdout } = await rig.intramur(['run', '--', path.join(bin, 'private-cc'), 'x']);
    expect([code, stdout]).toEqual([0, 'private 7.1 x\n']);
  });

  it('8. one run tells all that was refused, so that one grant of all is the last', async () => {
    const hosts = ['a.example', 'b.example', 'c.example'];
    const script = hosts.map((host) => `curl -sS -m 20 -o /dev/null -w '%{http_code} ' http://${host}/`).join(';');
    const file = path.join(rig.dir, 'summary.json');
    const first = await rig.intramur(['run', '--summary-json', file, '--', 'bash', '-c', script]);
    expect(first.stdout).toBe('403 403 403 ');
    const { egress } = JSON.parse(fs.readFileSync(file, 'utf8')) as { egress: { host: string; decision: string }[] };
    const refused = egress.filter(({ decision }) => decision === 'deny').map(({ host }) => host);
    expect(refused.sort()).toEqual(hosts);
    for (const host of hosts) expect(first.stderr).toContain(host);
    const again = await rig.intramur(['run', ...refused.flatMap((host) => ['--allow', host]), '--', 'bash', '-c', script]);
    // Nothing is refused any more; these names lead nowhere here.
    expect(again.stdout).toBe('502 502 502 ');
  });

  it('9. nobody is asked while an agent works; what is asked at the end says what and why', async () => {
    const script =
      'for i in $(seq 40); do touch f$i; done; mkdir -p .husky; echo x > .husky/pre-commit; curl -sS -o /dev/null http://a.example/';
    const { code, stderr } = await rig.intramur(['run', '--', 'bash', '-c', script]);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/\[y\/N\]|approve|continue\?/i)]);
    const { stdout } = await rig.intramur(['diff']);
    const questionable = stdout.split('\n').filter((line) => line.includes('['));
    expect(questionable).toEqual([expect.stringMatching(/^A \.husky\/pre-commit {2}\[sensitive: .*\w.*\]$/)]);
  });

  it.each(['overlay', 'direct'])('11. no stray file is left in the repository (%s), not even by a kill', async (how) => {
    const top = path.join(rig.workspace, 'clean');
    fs.mkdirSync(top);
    git(top, 'init', '-q', '.');
    fs.writeFileSync(path.join(top, 'file'), 'x');
    git(top, 'add', '.');
    git(top, 'commit', '-qm', 'first');
    const before = everything(top);
    const status = await rig.intramur(['run', '--mode', how, '--', 'git', 'status', '--short'], { cwd: top });
    expect(status.stdout).toBe('');
    expect(everything(top)).toEqual(before);

    const child = rig.start(['run', '--mode', how, '--', 'bash', '-c', 'echo started; exec sleep 1000'], { cwd: top });
    const ended = finished(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGKILL');
    await ended;
    // What a killed one could not remove, the next one does.
    await rig.intramur(['run', '--mode', how, '--', 'true'], { cwd: top });
    expect(everything(top)).toEqual(before);
    expect(git(top, 'status', '--short')).toBe('');
  });

  it('12. no root, no sudo, no daemon of the system, no virtual machine: an ordinary user runs it', async (context) => {
    const who = users().at(-1);
    const [command = '', ...args] = who?.command([process.execPath, main, 'run', '--', 'sh', '-c', 'echo ran as $(id -u)']) ?? [];
    const home = path.join(rig.dir, 'ordinary');
    const workspace = path.join(home, 'ws');
    fs.mkdirSync(workspace, { recursive: true });
    fs.chmodSync(rig.dir, 0o755);
    for (const at of [home, workspace]) fs.chownSync(at, who?.uid ?? 0, who?.gid ?? 0);
    const env = { HOME: home, INTRAMUR_HOME: path.join(home, 'state'), PATH: '/usr/bin:/bin' };
    const run = (argv: readonly string[]) => execFileSync(command, argv, { cwd: workspace, env, encoding: 'utf8', stdio: 'pipe' });
    try {
      expect(run(args)).toBe(`ran as ${who?.uid}\n`);
    } catch (fault) {
      // A clone below a directory that is closed to others.
      if (String(fault).includes('EACCES') || String(fault).includes('Cannot find module')) context.skip('this clone is closed to others');
      throw fault;
    } finally {
      const stop = who?.command([process.execPath, main, 'down']) ?? [];
      run(stop.slice(1));
    }
  });

  it('15. the documents show tests, not adjectives: each file and bench that they name exists', () => {
    const pages = fs.globSync(['docs/*.md', 'README.md'], { cwd: root });
    const benches = fs.readFileSync(path.join(root, 'scripts', 'bench.mjs'), 'utf8');
    const missing = pages.flatMap((page) => {
      const text = fs.readFileSync(path.join(root, page), 'utf8');
      const files = [...text.matchAll(/(?<![\w/.~-])(?:src|test|bench|scripts)\/[\w./-]+\.(?:ts|mjs)\b/g)].map(([name]) => name);
      const named = [...text.matchAll(/npm run bench -- (\w+)/g)].map(([, name = '']) => name);
      return [
        ...files.filter((name) => !fs.existsSync(path.join(root, name))).map((name) => `${page}: ${name}`),
        ...named.filter((name) => !benches.includes(`  ${name}: [`)).map((name) => `${page}: npm run bench -- ${name}`),
      ];
    });
    expect(missing).toEqual([]);
    const adjectives = /\b(?:blazing|best-in-class|military-grade|unhackable|seamless|cutting-edge|revolutionary)\b/i;
    expect(pages.filter((page) => adjectives.test(fs.readFileSync(path.join(root, page), 'utf8')))).toEqual([]);
  });
});
