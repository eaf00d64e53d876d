// Names, widths and contents after C2SP tlog-tiles, with the specification's own examples first.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameEntry, parseTilePath, type Tile, tilePath, tilesOf, unframeEntries } from './tile.ts';

it('index 1234067 is x001/x234/067', () => {
  expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
  expect(tilePath({ level: 'entries', index: 1234067, width: 17 })).toBe('tile/entries/x001/x234/067.p/17');
  expect(tilePath({ level: 3, index: 0, width: 256 })).toBe('tile/3/000');
  expect(tilePath({ level: 3, index: 1000, width: 1 })).toBe('tile/3/x001/000.p/1');
});

it('a tree of 70,000 has the tiles that the specification counts', () => {
  const count = (level: Tile['level'], isFull: boolean): Tile[] =>
    [...tilesOf(70_000)].filter((tile) => tile.level === level && (tile.width === 256) === isFull);
  expect([count(0, true).length, count(0, false), count(1, true).length, count(1, false), count(2, true).length, count(2, false)]).toEqual([
    273,
    [{ level: 0, index: 273, width: 112 }],
    1,
    [{ level: 1, index: 1, width: 17 }],
    0,
    [{ level: 2, index: 0, width: 1 }],
  ]);
});

it('a tree of 256 has a full tile of level 0 and a partial one of level 1', () => {
  expect([...tilesOf(256)]).toEqual([
    { level: 'entries', index: 0, width: 256 },
    { level: 0, index: 0, width: 256 },
    { level: 1, index: 0, width: 1 },
  ]);
  expect([...tilesOf(0)]).toEqual([]);
});

it.each([
  'tile/0/1',
  'tile/0/0000',
  'tile/00/000',
  'tile/64/000',
  'tile/-1/000',
  'tile/0/x000/001',
  'tile/0/001/x002',
  'tile/0/001/002',
  'tile/0/000.p/0',
  'tile/0/000.p/256',
  'tile/0/000.p/01',
  'tile/0/../000',
  'tile/data/000',
  '/tile/0/000',
  'tile/0/000\n',
])('%j is no tile', (path) => {
  expect(parseTilePath(path)).toBeUndefined();
});

describe('properties', () => {
  const tiles = fc.record({
    level: fc.oneof(fc.constant<'entries'>('entries'), fc.integer({ min: 0, max: 63 })),
    index: fc.integer({ min: 0, max: 2 ** 45 }),
    width: fc.integer({ min: 1, max: 256 }),
  });

  it('every name comes back as its tile', () => {
    fc.assert(
      fc.property(tiles, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });

  it('every name that parses is the one name of its tile', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^tile\/(entries|\d{1,2})\/[x\d/.p]{3,12}$/), (path) => {
        const tile = parseTilePath(path);
        if (tile !== undefined) expect(tilePath(tile)).toBe(path);
      }),
    );
  });

  it('entries come back from their bundle; one that is cut short ends it', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(entries, fc.nat(), (all, pick) => {
        const bundle = Buffer.concat(all.map(frameEntry));
        expect([...unframeEntries(bundle)].map((e) => Buffer.from(e ?? []))).toEqual(all.map((e) => Buffer.from(e)));
        const cut = [...unframeEntries(bundle.subarray(0, pick % (bundle.length + 1)))];
        const whole = cut.filter((e) => e !== undefined);
        expect(whole.map((e) => Buffer.from(e))).toEqual(all.slice(0, whole.length).map((e) => Buffer.from(e)));
        expect(cut.length - whole.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('an entry of 65,536 bytes does not fit', () => {
    expect(frameEntry(Buffer.alloc(65_535)).length).toBe(65_537);
    expect(() => frameEntry(Buffer.alloc(65_536))).toThrow('65,535');
  });
});
