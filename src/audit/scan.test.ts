import { describe, expect, it } from 'vitest';
import { diskTree } from './read/tree.ts';
import { walk } from './scan.ts';
import { lay, user } from './temporary-home.ts';

describe('the walk', () => {
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
