// The tiles of one tree size, read from a directory. Nothing here is trusted: callers check hashes against a signed checkpoint.
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { CompactRange, type Hash, hashBytes, nodeHash } from './merkle.ts';
import { readPlainFile } from './plain-file.ts';
import { hashAt, maxBundleBytes, type Tile, type TileLevel, tileHeight, tilePath, tileWidth, unframeEntries, widthAt } from './tile.ts';

export class TileReader {
  readonly #directory: string;
  readonly #size: number;
  readonly #ahead: ReadonlyMap<string, Buffer>;
  /** The tiles that were read last: a proof walks up and down near one edge. */
  readonly #cache = new Map<string, Buffer>();

  /** @param ahead tiles that are not on disk yet, by path */
  constructor(directory: string, size: number, ahead: ReadonlyMap<string, Buffer> = new Map()) {
    this.#directory = directory;
    this.#size = size;
    this.#ahead = ahead;
  }

  /** The bytes of a tile or bundle, in the partial form that this size asks for, or cut from the full one that replaced it. */
  async read(level: TileLevel, index: number): Promise<Buffer | undefined> {
    const width = widthAt(level, index, this.#size);
    if (width === 0) return undefined;
    const own = await this.#file({ level, index, width });
    if (own !== undefined || width === tileWidth) return own;
    const full = await this.#file({ level, index, width: tileWidth });
    return full === undefined ? undefined : level === 'entries' ? firstEntries(full, width) : full.subarray(0, width * hashBytes);
  }

  /** Hash `position` of a level. */
  async hash(level: number, position: number): Promise<Hash | undefined> {
    const index = Math.floor(position / tileWidth);
    const key = `${level}/${index}`;
    let tile = this.#cache.get(key);
    if (tile === undefined) {
      tile = await this.read(level, index);
      if (tile === undefined) return undefined;
      if (this.#cache.size >= 64) this.#cache.clear();
      this.#cache.set(key, tile);
    }
    return hashAt(tile, position % tileWidth);
  }

  /** Any perfect subtree of the tree; the heights between two levels of tiles are hashed from the lower one. */
  async node(height: number, index: number): Promise<Hash> {
    const level = Math.floor(height / tileHeight);
    const width = 2 ** (height % tileHeight);
    let row: Hash[] = [];
    for (let i = 0; i < width; i += 1) {
      const hash = await this.hash(level, index * width + i);
      if (hash === undefined) throw new IntramurError('LEDGER_CORRUPT', `a hash is missing: level ${level}, position ${index * width + i}`);
      row.push(hash);
    }
    while (row.length > 1) row = pairs(row);
    const [root] = row;
    if (root === undefined) throw new RangeError('a subtree has no leaves');
    return root;
  }

  /** The tree as the right edge of its tiles tells it. */
  async range(): Promise<CompactRange> {
    const range = new CompactRange();
    let rest = this.#size;
    let height = Math.floor(Math.log2(Math.max(1, rest)));
    for (; height >= 0; height -= 1) {
      const width = 2 ** height;
      if (rest < width) continue;
      range.appendSubtree(height, await this.node(height, range.size / width));
      rest -= width;
    }
    return range;
  }

  async #file(tile: Tile): Promise<Buffer | undefined> {
    const name = tilePath(tile);
    const limit = tile.level === 'entries' ? maxBundleBytes : tileWidth * hashBytes;
    return this.#ahead.get(name) ?? readPlainFile(path.join(this.#directory, name), limit);
  }
}

function pairs(row: readonly Hash[]): Hash[] {
  const above: Hash[] = [];
  for (let i = 0; i + 1 < row.length; i += 2) {
    const left = row[i];
    const right = row[i + 1];
    if (left !== undefined && right !== undefined) above.push(nodeHash(left, right));
  }
  return above;
}

function firstEntries(bundle: Buffer, count: number): Buffer {
  let end = 0;
  let seen = 0;
  for (const entry of unframeEntries(bundle)) {
    if (entry === undefined || seen === count) break;
    end += 2 + entry.length;
    seen += 1;
  }
  return bundle.subarray(0, end);
}
