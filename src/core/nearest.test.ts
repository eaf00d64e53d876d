import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

describe('nearest', () => {
  it.each<[string, readonly string[], string | undefined]>([
    ['perimter', ['id', 'perimeter', 'key'], 'perimeter'],
    ['Perimeter', ['perimeter'], 'perimeter'],
    ['ur', ['id', 'url'], 'url'],
    ['fact', ['act', 'facts'], 'facts'],
    ['x', ['id', 'url'], undefined],
    ['colour', ['providers', 'models'], undefined],
    ['a'.repeat(1000), ['a'], undefined],
    ['', ['id'], undefined],
  ])('%s among %j -> %s', (word, candidates, meant) => {
    expect(nearest(word, candidates)).toBe(meant);
  });

  it('counts single edits', () => {
    expect([editDistance('kitten', 'sitting'), editDistance('', 'abc'), editDistance('same', 'same')]).toEqual([3, 3, 0]);
  });
});
