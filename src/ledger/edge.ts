// The right edge of the log in memory: the compact range and the tiles and bundle that are not full yet. Appending changes only the edge,
// and `take` says which files that makes.
import { Bundle } from './bundle.ts';
import { CompactRange, type Hash } from './merkle.ts';
import { levelSize, partialDirectory, type TileLevel, tileHeight, tilePath, tileWidth } from './tile.ts';

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
  #bundle: Bundle;
  readonly #dirty = new Set<TileLevel>();
  /** Levels whose unfinished tile was never written: under load most tiles are filled between two publications. */
  readonly #unwritten = new Set<TileLevel>();
  #files: EdgeFile[] = [];
  #superseded: string[] = [];

  constructor(range = new CompactRange(), tiles: Hash[][] = [], bundle = new Bundle()) {
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

  /**
   * @param entries as bytes or as text
   * @returns them as bundles frame them, in order, in as few pieces as they stand in; the pieces stay as they are
   */
  append(entries: Iterable<Uint8Array | string>): readonly Buffer[] {
    const pieces: Buffer[] = [];
    let from = this.#bundle.length;
    for (const entry of entries) {
      this.#range.append(this.#bundle.add(entry), this.#onNode);
      if (this.#bundle.count < tileWidth) continue;
      pieces.push(this.#bundle.since(from));
      this.#complete('entries', this.#range.size / tileWidth - 1, this.#bundle.since(0));
      // Entries are much of a size, and a bundle that grows is copied.
      this.#bundle = new Bundle(Math.ceil(1.25 * this.#bundle.length));
      from = 0;
    }
    this.#dirty.add('entries');
    if (this.#bundle.length > from) pieces.push(this.#bundle.since(from));
    return pieces;
  }

  /** What must be written so that the present size can be signed; the next call starts from here. */
  take(): EdgeChange {
    const files = this.#files;
    const superseded = this.#superseded;
    for (const level of this.#dirty) {
      const tile = level === 'entries' ? [] : (this.#tiles[level] ?? []);
      const width = level === 'entries' ? this.#bundle.count : tile.length;
      if (width === 0) continue;
      this.#unwritten.delete(level);
      const index = Math.floor(levelSize(level, this.size) / tileWidth);
      files.push({ path: tilePath({ level, index, width }), bytes: level === 'entries' ? this.#bundle.since(0) : Buffer.concat(tile) });
    }
    this.#dirty.clear();
    this.#files = [];
    this.#superseded = [];
    return { files, superseded };
  }

  /** Called while the range appends, with its size from before. */
  readonly #onNode = (height: number, node: Hash): void => {
    if (height % tileHeight === 0) this.#push(height / tileHeight, Math.floor(this.#range.size / 2 ** height), node);
  };

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
    if (!this.#unwritten.has(level)) this.#superseded.push(partialDirectory(level, index));
    this.#unwritten.add(level);
  }
}
