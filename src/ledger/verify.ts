// Verification of a whole log from its files alone, trusting none of them but the key. Every entry is hashed again, every tile and every
// partial form still kept is compared, and the root must be the signed one; the first entry that does not fit is named.
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { type Acknowledged, acknowledged, readNote } from './acknowledged.ts';
import { filesBeyond, isRolledBack, widthsOf } from './beyond.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { parseCanonical } from './entry.ts';
import { CompactRange, emptyRoot, type Hash, hashBytes, leafHash } from './merkle.ts';
import { NoteError, parseVkey, type Verifier } from './note.ts';
import { readPlainFile } from './plain-file.ts';
import { equal, inclusionProof, verifyInclusion } from './proof.ts';
import {
  firstEntryBelow,
  frameEntry,
  hashAt,
  levelSize,
  maxBundleBytes,
  type Tile,
  tileHeight,
  tilePath,
  tileWidth,
  unframeEntries,
  widthAt,
} from './tile.ts';
import type { TileReader } from './tile-reader.ts';

export interface VerifyOptions {
  readonly dir: string;
  /** Verifier key; default: the text of `log.vkey` in the directory. */
  readonly vkey?: string;
  /** Checkpoints saved earlier (notes): each must be a prefix of this log. */
  readonly checkpoint?: string | readonly string[];
}

export interface Verification {
  readonly ok: boolean;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** How many signed checkpoints were found to fit this log. */
  readonly checkpoints: number;
  /** Index of the first entry that is altered, missing, or not vouched for. */
  readonly firstBad?: number;
  readonly reason?: string;
}

/** What is wrong and from which entry on. */
class Bad extends Error {
  readonly index: number | undefined;
  constructor(reason: string, index?: number) {
    super(reason);
    this.index = index;
  }
}

export async function verifyLedger(options: VerifyOptions): Promise<Verification> {
  let current: Checkpoint | undefined;
  let checkpoints = 0;
  const saved = typeof options.checkpoint === 'string' ? [options.checkpoint] : (options.checkpoint ?? []);
  try {
    const verifier = await verifierOf(options);
    const log = await served(options.dir, verifier);
    current = log.checkpoint;
    const earlier = saved.map((note) => openSaved(note, verifier));
    const rootsAt = await verifyTiles(options.dir, log, current, verifier, new Set(earlier.map(({ size }) => size)));
    checkpoints = 1;
    for (const checkpoint of earlier) {
      requirePrefix(checkpoint, current, rootsAt);
      checkpoints += 1;
    }
    return { ok: true, ...head(current), checkpoints };
  } catch (fault) {
    if (!(fault instanceof Bad || fault instanceof NoteError || fault instanceof IntramurError)) throw fault;
    const firstBad = fault instanceof Bad ? fault.index : undefined;
    return { ok: false, ...head(current), checkpoints, ...(firstBad === undefined ? {} : { firstBad }), reason: fault.message };
  }
}

function head(checkpoint: Checkpoint | undefined): { size: number; root: string } {
  return { size: checkpoint?.size ?? 0, root: checkpoint === undefined ? '' : Buffer.from(checkpoint.root).toString('base64') };
}

async function verifierOf({ dir, vkey }: VerifyOptions): Promise<Verifier> {
  const text = vkey ?? (await readNote(path.join(dir, 'log.vkey')));
  if (text === '') throw new Bad('the verifier key log.vkey is missing');
  try {
    return parseVkey(text.replace(/\n$/, ''));
  } catch (cause) {
    throw cause instanceof NoteError ? new Bad(`the verifier key is not valid: ${cause.message}`) : cause;
  }
}

/** The checkpoint of all that was acknowledged, and the tiles that lead to it. */
async function served(dir: string, verifier: Verifier): Promise<Acknowledged & { readonly checkpoint: Checkpoint }> {
  try {
    const found = await acknowledged(dir, verifier);
    return { ...found, checkpoint: openCheckpoint(found.note, verifier) };
  } catch (cause) {
    if (cause instanceof IntramurError && cause.code === 'CONFIG_NOT_FOUND') throw new Bad('the checkpoint is missing');
    throw cause instanceof NoteError ? new Bad(`the checkpoint is not valid: ${cause.message}`) : cause;
  }
}

function openSaved(note: string, verifier: Verifier): Checkpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (cause) {
    throw cause instanceof NoteError ? new Bad(`the saved checkpoint is not valid: ${cause.message}`) : cause;
  }
}

function requirePrefix(saved: Checkpoint, current: Checkpoint, rootsAt: ReadonlyMap<number, Hash>): void {
  if (saved.size > current.size) {
    throw new Bad(`the log was rolled back: a saved checkpoint has ${saved.size} entries, the log ${current.size}`, current.size);
  }
  const root = rootsAt.get(saved.size);
  if (root === undefined || !equal(root, saved.root)) {
    throw new Bad(`the log was forked: its first ${saved.size} entries are not those of the saved checkpoint`);
  }
}

/** Returns the roots that the log had at the sizes in `wanted`. */
async function verifyTiles(
  dir: string,
  { reader, published }: Acknowledged,
  checkpoint: Checkpoint,
  verifier: Verifier,
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, Hash>> {
  const { size } = checkpoint;
  const beyond = await filesBeyond(dir, size);
  const range = new CompactRange();
  const rootsAt = new Map<number, Hash>([[0, emptyRoot]]);
  const nodes: { level: number; position: number; hash: Hash }[] = [];

  for (let bundle = 0; bundle * tileWidth < size; bundle += 1) {
    const framed: Buffer[] = [];
    const leaves: Hash[] = [];
    for (const entry of await bundleEntries(reader, bundle, Math.min(tileWidth, size - bundle * tileWidth))) {
      const index = range.size;
      const leaf = leafHash(entry);
      if (!equal((await reader.hash(0, index)) ?? Buffer.alloc(0), leaf)) throw await leafFault(reader, checkpoint, index, leaf);
      requireOwnIndex(entry, index);
      framed.push(frameEntry(entry));
      leaves.push(leaf);
      range.append(leaf, (height, hash) => {
        if (height > 0 && height % tileHeight === 0)
          nodes.push({ level: height / tileHeight, position: Math.floor(index / 2 ** height), hash });
      });
      if (wanted.has(range.size)) rootsAt.set(range.size, range.root());
      for (const node of nodes.splice(0)) await requireNode(reader, node);
    }
    await requireKept(dir, published, { level: 'entries', index: bundle }, framed);
    await requireKept(dir, published, { level: 0, index: bundle }, leaves);
  }
  await requireUpperLevels(dir, reader, published, size);
  if (!equal(range.root(), checkpoint.root)) throw new Bad('the entries and tiles agree with each other but not with the signed root');
  // A writer may be at work: then the entries beyond are below a checkpoint that it has signed meanwhile.
  if ((await isRolledBack(dir, size, beyond)) && (await served(dir, verifier)).checkpoint.size <= size) {
    throw new Bad(`the log was rolled back: there are entries after the ${size} that its checkpoint names`, size);
  }
  return rootsAt;
}

async function bundleEntries(reader: TileReader, bundle: number, width: number): Promise<Uint8Array[]> {
  const first = bundle * tileWidth;
  const bytes = await readOr(reader.read('entries', bundle), first);
  const name = tilePath({ level: 'entries', index: bundle, width });
  if (bytes === undefined) throw new Bad(`${name} is missing`, first);
  const entries: Uint8Array[] = [];
  let used = 0;
  for (const entry of unframeEntries(bytes)) {
    if (entry === undefined || entries.length === width) break;
    entries.push(entry);
    used += 2 + entry.length;
  }
  // Cut short or left over: the entries before it may be altered too (a length), so they are compared first, by falling out below.
  if (entries.length < width || used < bytes.length) {
    const altered = await firstMismatch(reader, first, entries);
    throw new Bad(`${name} does not hold ${width} entries`, altered ?? first + Math.min(entries.length, width - 1));
  }
  return entries;
}

async function firstMismatch(reader: TileReader, first: number, entries: readonly Uint8Array[]): Promise<number | undefined> {
  for (const [i, entry] of entries.entries()) {
    const hash = await reader.hash(0, first + i);
    if (hash === undefined || !equal(hash, leafHash(entry))) return first + i;
  }
  return undefined;
}

/** The bundle and the hash tile disagree about an entry: which of them leads to the signed root? */
async function leafFault(reader: TileReader, { size, root }: Checkpoint, index: number, leaf: Hash): Promise<Bad> {
  const told = await reader.hash(0, index);
  if (told === undefined) return new Bad(`the hash of entry ${index} is missing from its tile`, index);
  const path = await inclusionProof(index, size, (height, at) => reader.node(height, at)).catch(() => []);
  if (verifyInclusion(told, index, size, path, root)) return new Bad(`entry ${index} is not the one that was signed`, index);
  if (verifyInclusion(leaf, index, size, path, root)) return new Bad(`the hash tile is altered at entry ${index}`, index);
  return new Bad(`entry ${index} and its hash tile disagree, and neither leads to the signed root`, index);
}

function requireOwnIndex(entry: Uint8Array, index: number): void {
  const value = parseCanonical(entry);
  if (value === undefined) throw new Bad(`entry ${index} is not canonical JSON`, index);
  if (value['index'] !== index) throw new Bad(`entry ${index} says that it is entry ${String(value['index'])}`, index);
}

async function requireNode(reader: TileReader, node: { level: number; position: number; hash: Hash }): Promise<void> {
  const first = firstEntryBelow(node.level, node.position);
  const told = await readOr(reader.hash(node.level, node.position), first);
  if (told === undefined) throw new Bad(`the hash of the entries from ${first} on is missing from level ${node.level}`, first);
  if (!equal(told, node.hash)) throw new Bad(`the hash tile of level ${node.level} is altered for the entries from ${first} on`, first);
}

async function requireUpperLevels(dir: string, reader: TileReader, published: number, size: number): Promise<void> {
  for (let level = 1; levelSize(level, size) > 0; level += 1) {
    const count = levelSize(level, size);
    for (let index = 0; index * tileWidth < count; index += 1) {
      const hashes: Hash[] = [];
      for (let position = index * tileWidth; position < Math.min(count, (index + 1) * tileWidth); position += 1) {
        const hash = await reader.hash(level, position);
        if (hash !== undefined) hashes.push(hash);
      }
      await requireKept(dir, published, { level, index }, hashes);
    }
  }
}

/**
 * Every form of a tile that a published checkpoint may have named must be the beginning of its present contents, and nothing else.
 * @param parts hashes, or entries as a bundle frames them
 */
async function requireKept(
  dir: string,
  published: number,
  { level, index }: Pick<Tile, 'level' | 'index'>,
  parts: readonly Uint8Array[],
): Promise<void> {
  for (const width of await widthsOf(dir, level, index)) {
    if (width > widthAt(level, index, published)) continue;
    const name = tilePath({ level, index, width });
    const first = firstEntryBelow(level, index * tileWidth);
    const limit = level === 'entries' ? maxBundleBytes : tileWidth * hashBytes;
    const kept = await readOr(readPlainFile(path.join(dir, name), limit), first);
    const right = parts.slice(0, width);
    if (kept === undefined || equal(kept, Buffer.concat(right))) continue;
    const differs =
      level === 'entries' ? differingEntry(kept, right) : right.findIndex((hash, i) => !equal(hashAt(kept, i) ?? Buffer.alloc(0), hash));
    throw new Bad(`${name} is altered`, firstEntryBelow(level, index * tileWidth + Math.max(0, differs)));
  }
}

function differingEntry(kept: Buffer, framed: readonly Uint8Array[]): number {
  let at = 0;
  for (const [i, bytes] of framed.entries()) {
    if (!equal(kept.subarray(at, at + bytes.length), bytes)) return i;
    at += bytes.length;
  }
  return framed.length - 1;
}

/** A file that cannot be read is as bad as an altered one, and belongs to the entries it should hold. */
async function readOr<T>(reading: Promise<T>, index: number): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw cause instanceof IntramurError ? new Bad(cause.message, index) : cause;
  }
}
