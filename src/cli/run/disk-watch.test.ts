// The disk of the machine is everybody's: a session that uses it up is ended while there is some left.
import { describe, expect, it, vi } from 'vitest';
import { type Space, watchDisk } from './disk-watch.ts';

const gib = 2 ** 30;
const plenty: Space = { bytes: 100 * gib, files: 1_000_000 };

function reasonAfter(...spaces: readonly (Space | undefined)[]): string[] {
  vi.useFakeTimers();
  try {
    const said: string[] = [];
    let at = 0;
    const stop = watchDisk(
      ['/disk'],
      (reason) => said.push(reason),
      (_directory, seen) => seen(spaces[Math.min(at++, spaces.length - 1)]),
    );
    vi.advanceTimersByTime(60_000);
    stop();
    return said;
  } finally {
    vi.useRealTimers();
  }
}

describe('the watch over the disk', () => {
  it.each<[string, readonly (Space | undefined)[], RegExp | undefined]>([
    ['plenty', [plenty], undefined],
    ['bytes that run out', [plenty, { ...plenty, bytes: gib }, { ...plenty, bytes: gib / 4 }], /no space/],
    ['files that run out', [plenty, { ...plenty, files: 10_000 }], /no room for files/],
    ['a disk that was nearly full before', [{ ...plenty, bytes: gib / 4 }], undefined],
    [
      'a nearly full disk of which the rest is used',
      [
        { ...plenty, bytes: gib / 4 },
        { ...plenty, bytes: gib / 16 },
      ],
      /no space/,
    ],
    ['a file system without a number of files', [{ ...plenty, files: Number.POSITIVE_INFINITY }], undefined],
    ['a disk that cannot be asked', [undefined], undefined],
  ])('%s', (_name, spaces, expected) => {
    const said = reasonAfter(...spaces);
    expect(said).toHaveLength(expected ? 1 : 0);
    if (expected) expect(said[0]).toMatch(expected);
  });
});
