// The right edge of the log in memory: the compact range and the tiles and bundle that are not full yet. Appending changes only the edge,
// and `take` says which files that makes.
import { CompactRange, type Hash, leafHash } from './merkle.ts';
import { frameEntry, levelSize, partialDirectory, type TileLevel, tileHeight, tilePath, tileWidth } from './tile.ts';

export interface EdgeFile {
  /** Relative to the directory of the log. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface EdgeChange {
  readonly files: readonly EdgeFile[];
  /** Directories of partial tiles that a full tile in `files` supersedes. */
  readonly superseded: readonly string[];
}

export class Edge {
  readonly #range: CompactRange;
  /** By level: the hashes of the tile that is not full yet. */
  readonly #tiles: Hash[][];
  #bundle: Buffer[];
  readonly #dirty = new Set<TileLevel>();
  #files: EdgeFile[] = [];
  #superseded: string[] = [];

  constructor(range = new CompactRange(), tiles: Hash[][] = [], bundle: Buffer[] = []) {
    this.#range = range;
    this.#tiles = tiles;
    this.#bundle = bundle;
  }

  get size(): number {
    return this.#range.size;
  }

  root(): Hash {
    return this.#range.root();
  }

  /** @returns the entry as it stands in its bundle */
  append(entry: Uint8Array): Buffer {
    const framed = frameEntry(entry);
    this.#bundle.push(framed);
    this.#dirty.add('entries');
    const index = this.#range.size;
    if (this.#bundle.length === tileWidth) {
      this.#complete('entries', Math.floor(index / tileWidth), Buffer.concat(this.#bundle));
      this.#bundle = [];
    }
    this.#range.append(leafHash(entry), (height, node) => {
      if (height % tileHeight === 0) this.#push(height / tileHeight, Math.floor(index / 2 ** height), node);
    });
    return framed;
  }

  /** What must be written so that the present size can be signed; the next call starts from here. */
  take(): EdgeChange {
    const files = this.#files;
    const superseded = this.#superseded;
    for (const level of this.#dirty) {
      const parts = level === 'entries' ? this.#bundle : (this.#tiles[level] ?? []);
      if (parts.length === 0) continue;
      const index = Math.floor(levelSize(level, this.size) / tileWidth);
      files.push({ path: tilePath({ level, index, width: parts.length }), bytes: Buffer.concat(parts) });
    }
    this.#dirty.clear();
    this.#files = [];
    this.#superseded = [];
    return { files, superseded };
  }

  #push(level: number, position: number, node: Hash): void {
    const tile = this.#tiles[level] ?? [];
    this.#tiles[level] = tile;
    tile.push(node);
    this.#dirty.add(level);
    if (tile.length < tileWidth) return;
    this.#complete(level, Math.floor(position / tileWidth), Buffer.concat(tile));
    this.#tiles[level] = [];
  }

  #complete(level: TileLevel, index: number, bytes: Buffer): void {
    this.#files.push({ path: tilePath({ level, index, width: tileWidth }), bytes });
    this.#superseded.push(partialDirectory(level, index));
  }
}
