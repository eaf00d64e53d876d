// Names and contents of the files of a log: C2SP tlog-tiles. A tile holds 256 hashes of one level (every eighth height of the tree); an
// entry bundle holds the 256 entries below one tile of level 0; the rightmost ones are partial and carry their width in the name.
import { hashBytes } from './merkle.ts';

export const tileWidth = 256;
export const tileHeight = 8;
export const maxEntryBytes = 0xffff;
export const maxBundleBytes = tileWidth * (2 + maxEntryBytes);

/** A level of hash tiles, or the entry bundles. */
export type TileLevel = number | 'entries';

export interface Tile {
  readonly level: TileLevel;
  readonly index: number;
  /** 256 for a full tile. */
  readonly width: number;
}

/** `tile/<L>/<N>[.p/<W>]`; index 1234067 is written `x001/x234/067`. */
export function tilePath({ level, index, width }: Tile): string {
  let rest = Math.floor(index / 1000);
  let name = String(index % 1000).padStart(3, '0');
  for (; rest > 0; rest = Math.floor(rest / 1000)) name = `x${String(rest % 1000).padStart(3, '0')}/${name}`;
  return `tile/${level}/${name}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** The directory of the partial forms of a tile. */
export function partialDirectory(level: TileLevel, index: number): string {
  return `${tilePath({ level, index, width: tileWidth })}.p`;
}

const tileName = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Strict inverse of `tilePath`; anything that it would not have written is `undefined`. */
export function parseTilePath(path: string): Tile | undefined {
  const match = tileName.exec(path);
  if (match === null) return undefined;
  const [, levelText, indexText = '', widthText] = match;
  const level = levelText === 'entries' ? 'entries' : Number(levelText);
  const index = Number(indexText.replaceAll(/[x/]/g, ''));
  const width = widthText === undefined ? tileWidth : Number(widthText);
  const tile: Tile = { level, index, width };
  const isTile = (level === 'entries' || level <= 63) && Number.isSafeInteger(index) && tilePath(tile) === path;
  return isTile ? tile : undefined;
}

/** How many hashes (or entries) of a level a tree of `size` has. */
export function levelSize(level: TileLevel, size: number): number {
  return Math.floor(size / tileWidth ** (level === 'entries' ? 0 : level));
}

/** The first entry below hash `position` of a level. */
export function firstEntryBelow(level: TileLevel, position: number): number {
  return position * tileWidth ** (level === 'entries' ? 0 : level);
}

/** The width that a tile has in a tree of `size`; 0 when it is not there yet. */
export function widthAt(level: TileLevel, index: number, size: number): number {
  return Math.max(0, Math.min(tileWidth, levelSize(level, size) - index * tileWidth));
}

/** Every tile and bundle that a tree of `size` needs to the right of `from` (a smaller size). */
export function* tilesOf(size: number, from = 0): Generator<Tile> {
  for (let level: TileLevel | undefined = 'entries'; level !== undefined; ) {
    const count = levelSize(level, size);
    for (let index = Math.floor(levelSize(level, from) / tileWidth); index * tileWidth < count; index += 1) {
      yield { level, index, width: widthAt(level, index, size) };
    }
    const next: number = level === 'entries' ? 0 : level + 1;
    level = levelSize(next, size) > 0 ? next : undefined;
  }
}

/** One entry as it stands in a bundle: big-endian uint16 length, then the bytes. */
export function frameEntry(entry: Uint8Array): Buffer {
  if (entry.length > maxEntryBytes) throw new RangeError('an entry is longer than 65,535 bytes');
  const framed = Buffer.allocUnsafe(2 + entry.length);
  framed.writeUInt16BE(entry.length, 0);
  framed.set(entry, 2);
  return framed;
}

/** The entries of a bundle in order; `undefined` in place of the first one that is cut short, and then nothing more. */
export function* unframeEntries(bundle: Uint8Array): Generator<Uint8Array | undefined> {
  for (let at = 0; at < bundle.length; ) {
    const high = bundle[at];
    const low = bundle[at + 1];
    const end = high === undefined || low === undefined ? Number.POSITIVE_INFINITY : at + 2 + high * 256 + low;
    if (end > bundle.length) {
      yield undefined;
      return;
    }
    yield bundle.subarray(at + 2, end);
    at = end;
  }
}

/** Hash `position` (0-255) of a tile's bytes; `undefined` when the bytes end before it. */
export function hashAt(tile: Uint8Array, position: number): Uint8Array | undefined {
  const found = tile.subarray(position * hashBytes, (position + 1) * hashBytes);
  return found.length === hashBytes ? found : undefined;
}
