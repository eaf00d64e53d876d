// Commits in a workspace whose git directory lies elsewhere: nothing of it changes before `apply`, and what belongs to another working
// tree never does.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { launch } from '../launch.ts';
import { boxIn, closeAll } from '../testdata/box.ts';
import { missing } from '../testdata/layers.ts';
import { applyChanges } from './apply.ts';
import { discardChanges, discardLayer } from './discard.ts';
import { sweepEmpty } from './empty.ts';
import { diffSession, isObject } from './git-layer.ts';
import { type Layer, readLayer } from './manifest.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-git-layer-')));
const cacheDir = path.join(scratch, 'cache');
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

let root = '';
let count = 0;
const at = (...parts: string[]): string => path.join(root, ...parts);

function git(cwd: string, ...args: string[]): string {
  const env = { PATH: process.env['PATH'], HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
  const own = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...own, ...args], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Every file of a directory, and what is in it. */
const content = (directory: string): string[] =>
  fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(directory, name)).isFile())
    .map((name) => `${name} ${fs.readFileSync(path.join(directory, name), 'hex')}`)
    .sort();

async function session(workspace: string, script: string): Promise<Layer> {
  const directory = at('sessions', String(count++));
  // The clock of the file system moves in ticks.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: '/home/agent',
    GIT_DISCOVERY_ACROSS_FILESYSTEM: '1',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.com',
  };
  const committer = { GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' };
  const argv = ['/bin/bash', '-ec', `exec > /tmp/out 2>&1; ${script}`];
  const plan = boxIn(directory, { argv, workspace, mode: 'overlay', cacheDir, env: { ...env, ...committer } });
  const launched = await launch(plan, { listening: closeAll });
  expect(await launched.exited).toEqual({ code: 0, signal: null });
  const layer = readLayer(directory);
  if (!layer) throw new Error('the session left no layer');
  return layer;
}

const rows = (layer: Layer): string[] =>
  diffSession(layer, cacheDir)
    .filter((change) => !isObject(change.path.replace(/^.*\.git\//, '')))
    .map(({ path: file, class: kind }) => `${file} ${kind}`);
const apply = (layer: Layer, withSensitive = false) => applyChanges(layer, diffSession(layer, cacheDir), { withSensitive, cacheDir });

describe.skipIf(missing !== undefined)(`a git directory outside${missing ? `, skipped: ${missing.name}` : ''}`, () => {
  beforeEach(() => {
    root = path.join(scratch, String(count++));
    fs.mkdirSync(root);
    for (const name of ['lib', 'main']) {
      fs.mkdirSync(at(name));
      fs.writeFileSync(at(name, 'file'), `of ${name}\n`);
      git(at(name), 'init', '-qb', 'main', '.');
      git(at(name), 'add', '.');
      git(at(name), 'commit', '-qm', 'first');
    }
    git(at('main'), 'submodule', 'add', '-q', at('lib'), 'module');
    git(at('main'), 'commit', '-qm', 'module');
    git(at('main'), 'worktree', 'add', '-qb', 'side', at('tree'));
    git(at('main'), 'worktree', 'add', '-qb', 'other', at('other'));
    fs.renameSync(at('lib', '.git'), at('lib.git'));
    fs.symlinkSync(at('lib.git'), at('lib', '.git'));
    git(at('lib'), 'status');
  });

  const commit = 'echo inside >> file; git commit -qam inside';
  it.each([
    ['a worktree', 'tree', 'main/.git'],
    ['a submodule', 'main/module', 'main/.git'],
    ['a link', 'lib', 'lib.git'],
  ])('of %s takes a commit into the layer, and the repository gets it by apply', async (_name, workspace, directory) => {
    const before = content(at(directory));
    const layer = await session(at(workspace), `${commit}; git branch more`);
    expect(content(at(directory))).toEqual(before);
    expect(diffSession(layer, cacheDir).filter((change) => change.class !== 'code')).toEqual([]);
    expect(apply(layer)).toMatchObject({ refused: [], conflicts: [] });
    expect(git(at(workspace), 'log', '-1', '--format=%s')).toBe('inside\n');
    expect(git(at(workspace), 'status', '--short')).toBe('');
    expect(git(at(workspace), 'branch', '--format=%(refname:short)')).toContain('more\n');
    git(at(workspace), 'fsck', '--strict');
    expect(diffSession(layer, cacheDir)).toEqual([]);
  });

  describe('over a directory of a working tree', () => {
    beforeEach(() => {
      for (const name of ['part/inner', 'part-two/inner', 'zz']) {
        fs.mkdirSync(path.dirname(at('main', name)), { recursive: true });
        fs.writeFileSync(at('main', name), `${name}\n`);
      }
      git(at('main'), 'add', '.');
      git(at('main'), 'update-index', '--skip-worktree', 'zz');
      git(at('main'), 'commit', '-qm', 'parts');
      git(at('tree'), 'merge', '-q', 'main');
    });
    const marks = (top: string): string[] =>
      git(top, 'ls-files', '-v')
        .split('\n')
        .filter((line) => /^[a-z]|^S/.test(line));

    it.each([
      ['a repository', 'main', ['S zz']],
      ['a worktree', 'tree', []],
    ])('of %s the commit has what changed there, and the rest stays', async (_name, top, marked) => {
      const before = content(at('main/.git'));
      const clean = 'test -z "$(git status --porcelain)"';
      const layer = await session(at(top, 'part'), `${clean}; echo x >> inner; echo n > new; git add -A; git commit -qam inside; ${clean}`);
      expect(content(at('main/.git'))).toEqual(before);
      expect(apply(layer)).toMatchObject({ refused: [], conflicts: [] });
      expect(git(at(top), 'show', '--format=%s', '--name-only').split('\n')).toEqual(['inside', '', 'part/inner', 'part/new', '']);
      expect(git(at(top), 'status', '--short')).toBe('');
      expect(marks(at(top))).toEqual(marked);
      git(at(top), 'fsck', '--strict');
    });

    it.each(['main', 'tree'])('nothing is left of the marks where nothing was done (%s)', async (top) => {
      const layer = await session(at(top, 'part'), 'git log -1');
      expect(diffSession(layer, cacheDir)).toEqual([]);
      expect(fs.readdirSync(path.join(layer.directory, 'git', 'upper'))).toEqual([]);
    });

    it('an index in another form is not brought back, and where there is one it is shown read-only', async () => {
      const layer = await session(at('main/part'), 'git update-index --index-version 4');
      expect(diffSession(layer, cacheDir)).toMatchObject([{ path: '../.git/index', class: 'forbidden' }]);
      git(at('main'), 'update-index', '--index-version', '4');
      await session(at('main/part'), 'git log -1; ! git commit -qm no --allow-empty');
    });
  });

  it('asks for what can run or steer, and keeps out what is another working tree’s', async () => {
    const layer = await session(
      at('tree'),
      `cd ${at('main/.git')}
       echo echo ran > hooks/post-commit; git config core.pager evil; echo x > index; echo '* filter=x' > info/attributes
       echo ref: refs/heads/side > HEAD; echo ref: refs/heads/side > worktrees/other/HEAD; rm -r worktrees/other/logs
       echo $(printf %040d 1) > refs/heads/other; rm -rf objects/??; mkdir -p worktrees/fresh; echo /x > worktrees/fresh/gitdir
       echo /elsewhere > objects/info/alternates; echo x > description`,
    );
    expect(rows(layer)).toEqual([
      '../main/.git/HEAD forbidden',
      '../main/.git/config sensitive',
      '../main/.git/description code',
      '../main/.git/hooks/post-commit sensitive',
      '../main/.git/index forbidden',
      '../main/.git/info/attributes sensitive',
      '../main/.git/objects/info/alternates sensitive',
      '../main/.git/refs/heads/other sensitive',
      '../main/.git/worktrees/fresh/gitdir sensitive',
      '../main/.git/worktrees/other/HEAD forbidden',
      '../main/.git/worktrees/other/logs forbidden',
      '../main/.git/worktrees/other/logs/HEAD forbidden',
    ]);
    const { applied } = apply(layer);
    expect(applied).toEqual(['../main/.git/description']);
    git(at('main'), 'fsck', '--strict');
  });

  it('never gets an object in the place of another one', async () => {
    const [name = ''] = fs.readdirSync(at('main/.git/objects')).filter((one) => one.length === 2);
    const place = `objects/${name}/${fs.readdirSync(at('main/.git/objects', name))[0]}`;
    const layer = await session(at('tree'), `cd ${at('main/.git')}; rm -f ${place}; echo other > ${place}`);
    expect(diffSession(layer, cacheDir).map((change) => [change.path, change.class])).toEqual([[`../main/.git/${place}`, 'forbidden']]);
    apply(layer, true);
    git(at('main'), 'fsck', '--strict');
  });

  it('keeps a commit that was made outside meanwhile on the same branch', async () => {
    const layer = await session(at('tree'), commit);
    git(at('tree'), 'commit', '-qm', 'outside', '--allow-empty');
    const { conflicts } = apply(layer);
    expect(conflicts.map((one) => one.path)).toContain('../main/.git/refs/heads/side');
    expect(git(at('tree'), 'log', '-1', '--format=%s')).toBe('outside\n');
    git(at('tree'), 'fsck', '--strict');
  });

  it.each([
    ['a worktree', 'tree'],
    ['the repository itself', 'main'],
  ])('keeps the branches when their packed form cannot come back (%s)', async (_name, workspace) => {
    const layer = await session(at(workspace), 'git pack-refs --all');
    fs.writeFileSync(at('main/.git/packed-refs'), '# pack-refs with: peeled fully-peeled sorted \n');
    const { applied, refused, conflicts } = apply(layer);
    expect(applied).toEqual([]);
    expect([...refused, ...conflicts].map((one) => path.basename(one.path)).sort()).toEqual(['main', 'other', 'packed-refs', 'side']);
    expect(conflicts.find((one) => one.path.endsWith('/side'))?.why).toContain('packed-refs, which is not applied');
    expect(git(at('main'), 'branch', '--format=%(refname:short)')).toBe('main\nother\nside\n');
  });

  it('keeps loose objects of the workspace’s own repository when their pack cannot be written', async () => {
    const layer = await session(at('main'), 'git gc -q --prune=now');
    const pack = fs.readdirSync(path.join(layer.upper, '.git/objects/pack')).find((name) => name.endsWith('.pack')) ?? '';
    fs.rmSync(path.join(layer.upper, '.git/objects/pack', pack));
    fs.mkdirSync(path.join(layer.upper, '.git/objects/pack', pack));
    fs.chmodSync(path.join(layer.upper, '.git/objects/pack', pack), 0);
    apply(layer);
    git(at('main'), 'fsck', '--strict');
  });

  it('is applied and given up in part, and whole', async () => {
    const layer = await session(at('tree'), `${commit}; git branch more`);
    const changes = diffSession(layer, cacheDir);
    const part = changes.filter((change) => change.path.startsWith('../'));
    applyChanges(layer, part, { withSensitive: false, cacheDir, rest: changes.filter((change) => !part.includes(change)) });
    expect(rows(layer)).toEqual(['file code']);
    expect(git(at('tree'), 'status', '--short')).toBe(' M file\n');
    discardChanges(layer, diffSession(layer, cacheDir));
    expect(diffSession(layer, cacheDir)).toEqual([]);
    discardLayer(layer);
    expect(fs.existsSync(layer.directory)).toBe(false);
  });

  it('with a commit in it is no empty layer; without one it is', async () => {
    const layer = await session(at('tree'), 'git commit -qm nothing --allow-empty');
    const none = await session(at('tree'), 'git log -1');
    const last = await session(at('tree'), 'true');
    // This process launched them all, and holds them.
    for (const { directory } of [layer, none]) fs.rmSync(path.join(directory, 'holder'));
    sweepEmpty(last);
    expect([layer, none, last].map(({ directory }) => fs.existsSync(directory))).toEqual([true, false, true]);
  });
});
