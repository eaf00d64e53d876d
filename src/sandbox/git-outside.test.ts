import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitOutside } from './git-outside.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-git-')));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
const at = (...parts: string[]): string => path.join(root, ...parts);

function git(cwd: string, ...args: string[]): void {
  const env = { PATH: process.env['PATH'], HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'protocol.file.allow=always', ...args], {
    cwd,
    env,
    stdio: 'ignore',
  });
}

describe('a git directory that lies elsewhere', () => {
  beforeAll(() => {
    for (const name of ['main', 'lib']) {
      fs.mkdirSync(at(name, 'sub', 'deep'), { recursive: true });
      fs.writeFileSync(at(name, 'file'), 'x');
      git(at(name), 'init', '-q', '.');
      git(at(name), 'add', '.');
      git(at(name), 'commit', '-qm', 'one');
    }
    git(at('main'), 'worktree', 'add', '-q', at('tree'));
    git(at('main'), 'submodule', 'add', '-q', at('lib'), 'module');
  });

  it('is shown for a worktree, a submodule and a directory of a repository', () => {
    const whole = { own: '', way: [], holdsWorkspace: false };
    const tree = { directory: at('main/.git'), own: 'worktrees/tree', top: at('tree') };
    expect(gitOutside(at('tree'))).toEqual({ ...whole, ...tree });
    expect(gitOutside(at('main/module'))).toEqual({ ...whole, directory: at('main/.git/modules/module'), top: at('main/module') });
    expect(gitOutside(at('main/sub/deep'))).toEqual({ ...whole, directory: at('main/.git'), top: at('main') });
    expect(gitOutside(at('tree/sub'))).toEqual({ ...whole, ...tree, way: [at('tree/.git')] });
  });

  it('is shown for a worktree whose paths are relative', () => {
    git(at('main'), 'worktree', 'add', '-q', at('near'));
    fs.writeFileSync(at('near/.git'), 'gitdir: ../main/.git/worktrees/near\n');
    fs.writeFileSync(at('main/.git/worktrees/near/gitdir'), '../../../../near/.git\n');
    expect(gitOutside(at('near'))).toMatchObject({ directory: at('main/.git'), own: 'worktrees/near' });
  });

  it('is shown for a link, or a file, to a directory whose index knows the files of the workspace', () => {
    const mine = { own: '', holdsWorkspace: false };
    git(root, 'clone', '-q', at('lib'), at('linked'));
    fs.renameSync(at('linked/.git'), at('linked.git'));
    fs.symlinkSync('../way.git', at('linked/.git'));
    fs.symlinkSync('linked.git', at('way.git'));
    expect(gitOutside(at('linked'))).toEqual({ ...mine, directory: at('linked.git'), top: at('linked'), way: [at('way.git')] });
    git(root, 'clone', '-q', '--separate-git-dir', at('apart.git'), at('lib'), at('apart'));
    expect(gitOutside(at('apart'))).toEqual({ ...mine, directory: at('apart.git'), top: at('apart'), way: [] });
    // The same names and contents are not the same files.
    fs.cpSync(at('linked'), at('copied'), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    expect(gitOutside(at('copied'))).toBeUndefined();
    fs.cpSync(at('apart'), at('copied-too'), { recursive: true, preserveTimestamps: true });
    expect(gitOutside(at('copied-too'))).toBeUndefined();
  });

  it('is not asked for where the repository is in the workspace, or there is none', () => {
    expect(gitOutside(at('main'))).toBeUndefined();
    fs.mkdirSync(at('plain'));
    expect(gitOutside(at('plain'))).toBeUndefined();
  });

  it.each([
    ['another repository', () => `gitdir: ${at('lib/.git')}\n`],
    ['the worktree of somebody else', () => `gitdir: ${at('main/.git/worktrees/tree')}\n`],
    ['a directory of keys', () => `gitdir: ${at('keys')}\n`],
    ['a path with more lines', () => `gitdir: ${at('main/.git/worktrees/tree')}\n\nx`],
    ['nothing', () => ''],
  ])('is not shown when a planted file points to %s', (_name, text) => {
    fs.rmSync(at('evil'), { recursive: true, force: true });
    fs.mkdirSync(at('evil'));
    fs.mkdirSync(at('keys'), { recursive: true });
    fs.writeFileSync(at('evil/.git'), text());
    expect(gitOutside(at('evil'))).toBeUndefined();
    fs.rmSync(at('evil/.git'));
    fs.symlinkSync(at('lib/.git'), at('evil/.git'));
    expect(gitOutside(at('evil'))).toBeUndefined();
  });

  it.each(['gitdir', 'commondir', 'config'])('a pipe in the place of %s is not waited for', (name) => {
    fs.rmSync(at('pipes'), { recursive: true, force: true });
    fs.mkdirSync(at('pipes/git'), { recursive: true });
    fs.writeFileSync(at('pipes/.git'), 'gitdir: git\n');
    fs.writeFileSync(at('pipes/git/HEAD'), 'ref: refs/heads/main\n');
    fs.writeFileSync(at('pipes/git/gitdir'), `${at('pipes/.git')}\n`);
    fs.rmSync(at('pipes/git', name), { force: true });
    execFileSync('mkfifo', [at('pipes/git', name)]);
    // In a process of its own: one that waits must not hold the test.
    const code = `import { gitOutside } from ${JSON.stringify(path.resolve('src/sandbox/git-outside.ts'))}; console.log(String(gitOutside(${JSON.stringify(at('pipes'))})))`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', timeout: 10_000 })).toBe('undefined\n');
  });
});
