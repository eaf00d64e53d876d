import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskTree } from './read/tree.ts';
import { walk } from './scan.ts';
import { lay, user } from './temporary-home.ts';

describe('the walk', () => {
  it.each<[string, readonly string[]]>([
    ['below another once', [`${user}/a`]],
    ['below the root once', ['/home/dev/a']],
    ['where the other would pass it by', [`${user}/.cache/b`]],
    ['behind a link', [`${user}/link/b`]],
  ])('comes to a directory that is named, %s', (_name, [named = '']) => {
    using laid = lay({ '~/a/.mcp.json': '', '~/.cache/b/.mcp.json': '' });
    fs.symlinkSync('.cache', path.join(laid.root, user, 'link'));
    for (const outer of [user, '/']) {
      const { workspaces } = walk(diskTree(laid.root), [outer, named], [user], () => {});
      expect(workspaces.map(({ path: place }) => place).filter((place) => place === named)).toEqual([named]);
    }
  });

  it('comes to a directory below a home that is a link once', () => {
    using laid = lay({ '~/a/.mcp.json': '' });
    fs.symlinkSync('dev', path.join(laid.root, '/home/link'));
    const { workspaces } = walk(diskTree(laid.root), ['/home/link', '/home/link/a'], ['/home/link'], () => {});
    expect(workspaces.map(({ path: place }) => place).filter((place) => place.endsWith('/a'))).toEqual(['/home/link/a']);
  });

  it('comes last to what an agent fills, wherever that stands in the directory', () => {
    using laid = lay({ '~/a/b/.mcp.json': '', '~/a/state/sessions/1/upper/.mcp.json': '', '~/z/.mcp.json': '' });
    const disk = diskTree(laid.root);
    const seen: string[] = [];
    const tree = { ...disk, list: (dir: string) => (seen.push(dir), disk.list(dir)) };
    const { workspaces } = walk(tree, [user], [user], () => {}, [`${user}/a/state/sessions`]);
    expect(seen.slice(-3)).toEqual(['', '/1', '/1/upper'].map((rest) => `${user}/a/state/sessions${rest}`));
    expect(workspaces.map(({ path }) => path)).toContain(`${user}/a/state/sessions/1/upper`);
  });
});
