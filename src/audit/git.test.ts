import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit } from './audit.ts';
import { type GitPlace, gitPlace } from './git.ts';
import { diskTree } from './read/tree.ts';
import { lay, optionsFor, user } from './temporary-home.ts';

const config = (url: string): string => `[remote "origin"]\n\turl = ${url}\n`;
const url = 'git@git.acme.example:core/api.git';

describe('the repository of a workspace', () => {
  it.each<[string, Record<string, string>, Partial<GitPlace>]>([
    ['a plain one', { '.git/config': config(url) }, { urls: [url] }],
    ['a plain one without configuration', { '.git/HEAD': '' }, { urls: [], fault: undefined }],
    [
      'a linked work tree, with relative paths',
      {
        '~/repo/x': '',
        '~/tree/.git': 'gitdir: ../repo/.git/worktrees/tree\n',
        '.git/worktrees/tree/HEAD': '',
        '.git/worktrees/tree/commondir': '../..\n',
        '.git/config': config(url),
      },
      { trees: [`${user}/tree`, `${user}/repo`], urls: [url], fault: undefined },
    ],
    [
      'a submodule',
      { '~/tree/.git': 'gitdir: ../repo/.git/modules/tree\n', '.git/modules/tree/HEAD': '', '.git/modules/tree/config': config(url) },
      { trees: [`${user}/tree`], urls: [url], fault: undefined },
    ],
    ['one that leads nowhere', { '~/tree/.git': 'gitdir: ../x/.git/worktrees/tree\n' }, { fault: faultOf(/no git directory here/) }],
    ['one that leads to itself', { '~/tree/.git': 'gitdir: .git\n' }, { fault: faultOf(/no git directory here/) }],
    [
      'one that leads to a directory without HEAD',
      { '~/tree/.git': 'gitdir: ../bare\n', '~/bare/config': config(url) },
      { fault: faultOf(/no git/) },
    ],
    ['one that climbs above the root', { '~/tree/.git': 'gitdir: /../../../etc\n', '/etc/x': '' }, { fault: faultOf(/no git directory/) }],
    ['one with a zero byte', { '~/tree/.git': 'gitdir: ../\0repo\n' }, { fault: faultOf(/no file that git understands/) }],
    [
      'one of other text',
      { '~/tree/.git': 'x\ngitdir: ../repo/.git\n', '.git/HEAD': '' },
      { fault: faultOf(/no file that git understands/) },
    ],
    ['a huge one', { '~/tree/.git': `gitdir: ${'x'.repeat(2 << 20)}` }, { fault: faultOf(/larger than/) }],
    [
      'a huge common directory',
      { '.git/commondir': ' '.repeat(2 << 20) },
      { urls: [], fault: { path: `${user}/repo/.git/commondir`, reason: expect.stringMatching(/larger/) } },
    ],
    ['one whose HEAD is a directory', { '~/tree/.git': 'gitdir: ../x', '~/x/HEAD/': '' }, { fault: faultOf(/no git directory here/) }],
    [
      'a huge configuration',
      { '.git/config': ' '.repeat(2 << 20) },
      { urls: [], fault: { path: `${user}/repo/.git/config`, reason: expect.stringMatching(/larger/) } },
    ],
  ])('%s', (_name, files, expected) => {
    using laid = lay(files);
    const top = Object.keys(files).includes('~/tree/.git') ? `${user}/tree` : `${user}/repo`;
    expect(gitPlace(diskTree(laid.root), top)).toMatchObject(expected);
  });

  it.each<[string, (dot: string) => void, RegExp]>([
    ['a pipe', (dot) => execFileSync('mkfifo', [dot]), /no regular file/],
    ['a link in a circle', (dot) => fs.symlinkSync('.git', dot), /circle/],
    ['a link that leads out', (dot) => fs.symlinkSync('../../../../../../../../gone', dot), /leads nowhere/],
  ])('%s in the place of .git is a finding, and the rest is audited', (_name, plant, reason) => {
    using laid = lay({ '~/.claude/settings.json': '{"permissions":{"allow":["Bash(*)"]}}', '~/tree/.claude/settings.json': '{' });
    plant(path.join(laid.root, user, 'tree/.git'));
    const { findings } = audit(optionsFor(laid.root, { classify: () => 'restricted' }));
    expect(findings.map(({ id }) => id)).toContain('PERM-001');
    expect(findings.filter(({ id, file }) => id === 'CFG-001' && file?.startsWith(`${user}/tree/`)).map(({ file }) => file)).toEqual([
      `${user}/tree/.claude/settings.json`,
      `${user}/tree/.git`,
    ]);
    expect(findings.find(({ file }) => file === `${user}/tree/.git`)?.message).toMatch(reason);
  });
});

describe('the class of a workspace', () => {
  it('follows from the remotes of the repository that it is a work tree or a directory of', () => {
    const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'audit-git-')));
    const git = (...args: readonly string[]): void => {
      const env = { PATH: process.env['PATH'], HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
      execFileSync('git', ['-C', path.join(root, 'home/main'), '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
        env,
        stdio: 'ignore',
      });
    };
    try {
      fs.mkdirSync(path.join(root, 'home/main/sub/.claude'), { recursive: true });
      git('init', '-q', '.');
      git('remote', 'add', 'origin', url);
      git('commit', '-q', '--allow-empty', '-m', 'one');
      git('worktree', 'add', '-q', '../tree');
      const seen: Record<string, readonly string[]> = {};
      audit({
        ...optionsFor('/', { home: path.join(root, 'home') }),
        classify: (workspace, { urls }) => {
          seen[path.relative(root, workspace)] = urls;
          return undefined;
        },
      });
      expect(seen).toEqual({ 'home/main': [url], 'home/main/sub': [url], 'home/tree': [url] });
    } finally {
      fs.rmSync(root, { recursive: true, force: true });
    }
  });
});

function faultOf(reason: RegExp): GitPlace['fault'] {
  return { path: `${user}/tree/.git`, reason: expect.stringMatching(reason) };
}
