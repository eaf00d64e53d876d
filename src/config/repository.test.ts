import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Classification } from '../core/index.ts';
import { classificationOf, defaultConfig, matchGlob, matchWildcard, parseRemote, readRepository } from './index.ts';
import { remoteUrls } from './repository.ts';

describe('matchGlob', () => {
  it.each<[string, string, boolean]>([
    ['/w/**', '/w/a/b', true],
    ['/w/**', '/w', true],
    ['/w/**', '/work', false],
    ['/w/*', '/w/a', true],
    ['/w/*', '/w/a/b', false],
    ['/w/*/c', '/w/a/c', true],
    ['/w/**/c', '/w/c', true],
    ['/w/**/c', '/w/a/b/c', true],
    ['/w/**/c', '/w/abc', false],
    ['**/core', 'core', true],
    ['**/core', 'a/core', true],
    ['**/core', 'score', false],
    ['**', '/anything/at/all', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['git.acme.example/core/**', 'git.acme.example/core/api', true],
    ['git.acme.example/core/**', 'git.acme.example.evil.example/core/api', false],
    ['git.acme.example/**', 'gitXacme.example/core', false],
    ['', '', true],
  ])('%s on %s -> %s', (glob, text, hit) => {
    expect(matchGlob(glob, text)).toBe(hit);
  });

  it('is not slowed down by a hostile pattern', () => {
    expect(matchGlob(`${'**a'.repeat(200)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

describe('matchWildcard', () => {
  it('agrees with the regular expression it stands for', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '.'), maxLength: 8 });
    fc.assert(
      fc.property(word, fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 8 }), (pattern, text) => {
        const expression = new RegExp(
          `^${pattern
            .split('*')
            .map((part) => part.replace(/[.]/g, '\\.'))
            .join('.*')}$`,
          's',
        );
        expect(matchWildcard(pattern, text)).toBe(expression.test(text));
      }),
    );
  });
});

describe('parseRemote', () => {
  it.each<[string, ReturnType<typeof parseRemote>]>([
    ['https://git.acme.example/core/api.git', { kind: 'host', name: 'git.acme.example/core/api' }],
    ['https://user:secret@Git.Acme.example:8443/core/api/', { kind: 'host', name: 'git.acme.example/core/api' }],
    ['ssh://git@git.acme.example:22/core/api.git', { kind: 'host', name: 'git.acme.example/core/api' }],
    ['git@git.acme.example:core/api.git', { kind: 'host', name: 'git.acme.example/core/api' }],
    ['git.acme.example:/core//api', { kind: 'host', name: 'git.acme.example/core/api' }],
    ['https://git.acme.example/c%6Fre/api', { kind: 'host', name: 'git.acme.example/core/api' }],
    ['https://git.acme.example/x/../core/api', { kind: 'host', name: 'git.acme.example/core/api' }],
    ['https://[::1]:3000/core/api', { kind: 'host', name: '::1/core/api' }],
    ['git://git.acme.example./core', { kind: 'host', name: 'git.acme.example/core' }],
    ['/srv/git/core.git', { kind: 'path', name: '/srv/git/core' }],
    ['../core', { kind: 'path', name: '../core' }],
    ['file:///srv/git/core.git/', { kind: 'path', name: '/srv/git/core' }],
    ['ext::sh -c evil', undefined],
    ['https:///core', undefined],
    ['', undefined],
  ])('%s', (url, remote) => {
    expect(parseRemote(url)).toEqual(remote);
  });
});

it('remoteUrls reads the remotes of a git configuration only', () => {
  const text = `[core]
\turl = not/this
[remote "origin"]
\tfetch = +refs/heads/*:refs/remotes/origin/*
\tURL = "git@git.acme.example:core/api.git" ; a comment
\tpushurl = https://git.acme.example/\\
core/push # another
[remote.old] url = https://old.example/x
[branch "main"]
\tremote = origin
[url "https://insteadof.example/"]
\turl = no`;
  expect(remoteUrls(text)).toEqual(['git@git.acme.example:core/api.git', 'https://git.acme.example/core/push', 'https://old.example/x']);
});

describe('classificationOf', () => {
  const rules = [
    { match: 'git.acme.example/core/**', classification: 'restricted' },
    { match: '/home/u/work/**', classification: 'confidential' },
    { match: '/home/u/work/vault', classification: 'restricted' },
    { match: '/home/u/oss/**', classification: 'public' },
    { match: 'forge.example/**', classification: 'public' },
    { match: '**/crown-*', classification: 'restricted' },
  ] as const;
  it.each<[string, string[], string[], Classification]>([
    ['nothing matches', ['/srv/x'], [], 'internal'],
    ['the path matches', ['/home/u/work/x/sub'], [], 'confidential'],
    ['the remote matches', ['/srv/x'], ['git.acme.example/core/api'], 'restricted'],
    ['the remote matches in another case', ['/srv/x'], ['git.acme.example/Core/API'], 'restricted'],
    ['the highest rule wins', ['/home/u/work/vault/src'], [], 'restricted'],
    ['a public remote does not lower the path', ['/home/u/work/x'], ['forge.example/x'], 'confidential'],
    ['a second remote raises', ['/srv/x'], ['forge.example/x', 'git.acme.example/core/x'], 'restricted'],
    ['public by path', ['/home/u/oss/x'], [], 'public'],
    ['public by remote', ['/srv/x'], ['forge.example/x'], 'public'],
    ['a workspace that contains a classified place', ['/home/u'], [], 'restricted'],
    ['a workspace beside a classified place', ['/home/u2'], [], 'internal'],
    ['any path', ['/srv/crown-jewels/src'], [], 'restricted'],
  ])('%s', (_name, paths, remotes, classification) => {
    expect(classificationOf({ ...defaultConfig, repositories: rules }, { paths, remotes })).toBe(classification);
  });
});

describe('readRepository', () => {
  let root: string;
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  beforeEach(() => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'repository-')));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('reads the remote of the repository around a subdirectory', async () => {
    write('core/.git/config', '[remote "origin"]\n\turl = git@git.acme.example:core/api.git\n');
    mkdirSync(path.join(root, 'core/src'));
    expect(await readRepository(path.join(root, 'core/src'))).toEqual({
      paths: [path.join(root, 'core/src'), path.join(root, 'core')],
      remotes: ['git.acme.example/core/api'],
    });
  });

  it('follows a work tree to its main repository', async () => {
    write('core/.git/config', '[remote "origin"]\n\turl = https://git.acme.example/core/api\n');
    write('core/.git/worktrees/fix/commondir', '../..\n');
    write('elsewhere/fix/.git', `gitdir: ${root}/core/.git/worktrees/fix\n`);
    expect(await readRepository(path.join(root, 'elsewhere/fix'))).toEqual({
      paths: [path.join(root, 'elsewhere/fix'), path.join(root, 'core')],
      remotes: ['git.acme.example/core/api'],
    });
  });

  it('knows a local clone by where it came from', async () => {
    write('clone/.git/config', `[remote "origin"]\n\turl = ../vault/.git\n`);
    expect((await readRepository(path.join(root, 'clone'))).paths).toContain(path.join(root, 'vault'));
  });

  it('says nothing of a directory without git', async () => {
    expect(await readRepository(root)).toEqual({ paths: [root], remotes: [] });
  });
});
