// Files that belong to a larger tree than the signed checkpoint. A crash leaves those of one unfinished publication; more than that
// means that a later checkpoint was signed and has been taken away.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from './plain-file.ts';
import { levelSize, partialDirectory, type Tile, type TileLevel, tilePath, tileWidth } from './tile.ts';

/** INVARIANT: nothing publishes more entries at once, so that what a crash can leave behind stays within `reach` tiles. */
export const maxPublishedEntries = 4096;
const reach = maxPublishedEntries / tileWidth + 1;

/** Tiles and bundles beyond a tree of `size`, as far as a single publication could have written, and a little further. */
export async function filesBeyond(directory: string, size: number): Promise<readonly Tile[]> {
  const found: Tile[] = [];
  let level: TileLevel | undefined = 'entries';
  while (level !== undefined) {
    const count = levelSize(level, size);
    const first = Math.floor(count / tileWidth);
    for (let index = first; index <= first + reach + 1; index += 1) {
      const kept = index === first ? count % tileWidth : 0;
      for (const width of await widthsOf(directory, level, index)) if (width > kept) found.push({ level, index, width });
    }
    // One level above the top of the tree, because a publication may have begun it.
    level = level === 'entries' ? 0 : count > 0 ? level + 1 : undefined;
  }
  return found;
}

/**
 * Whether the files show that entries after `size` had been signed.
 * @param beyond what `filesBeyond` found
 */
export async function isRolledBack(directory: string, size: number, beyond: readonly Tile[]): Promise<boolean> {
  const bundles = beyond.filter(({ level }) => level === 'entries');
  const partial = bundles.filter(({ width }) => width < tileWidth);
  const full = bundles.length - partial.length;
  if (partial.length > 1 || full > reach) return true;
  // A partial bundle is removed only after the checkpoint that its full form belongs to was signed.
  const index = Math.floor(size / tileWidth);
  const isSuperseded = full > 0 && size % tileWidth > 0 && bundles.some((b) => b.index === index && b.width === tileWidth);
  return isSuperseded && !(await widthsOf(directory, 'entries', index)).includes(size % tileWidth);
}

/** The widths in which a tile exists. */
export async function widthsOf(directory: string, level: TileLevel, index: number): Promise<number[]> {
  const widths: number[] = [];
  for (const name of await namesIn(path.join(directory, partialDirectory(level, index)))) {
    if (/^[1-9]\d{0,2}$/.test(name) && Number(name) < tileWidth) widths.push(Number(name));
  }
  const full = path.join(directory, tilePath({ level, index, width: tileWidth }));
  if ((await namesIn(path.dirname(full))).includes(path.basename(full))) widths.push(tileWidth);
  return widths.toSorted((a, b) => a - b);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    const code = errnoOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw cause;
  }
}
