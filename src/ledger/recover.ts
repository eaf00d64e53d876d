// What an open finds on disk: the log that its last signed checkpoint names, and possibly the files of one group that a crash left
// unfinished, which are removed. INVARIANT: an entry below a signed checkpoint is never removed; a log that does not lead to its own
// checkpoint, or that is older than what this key has already signed, is not opened.
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { filesBeyond, isRolledBack } from './beyond.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { Disk } from './disk.ts';
import { Edge } from './edge.ts';
import { type Hash, hashBytes, leafHash } from './merkle.ts';
import { NoteError, type Verifier } from './note.ts';
import { readPlainFile } from './plain-file.ts';
import { equal, rootAt } from './proof.ts';
import { frameEntry, hashAt, levelSize, tilePath, tileWidth, unframeEntries } from './tile.ts';
import { TileReader } from './tile-reader.ts';

export const maxCheckpointBytes = 1 << 16;

/**
 * @param note the signed checkpoint of the log
 * @param head the last checkpoint that this key is known to have signed, kept apart from the log; empty when there is none
 */
export async function recover(directory: string, note: string, head: string, verifier: Verifier, disk: Disk): Promise<Edge> {
  const checkpoint = openOwn(note, verifier);
  const reader = new TileReader(directory, checkpoint.size);
  const range = await reader.range();
  if (!equal(range.root(), checkpoint.root))
    throw new IntramurError('LEDGER_CORRUPT', 'the tiles of the ledger do not lead to its checkpoint');
  await refuseRollback(checkpoint, head, verifier, reader);

  const beyond = await filesBeyond(directory, checkpoint.size);
  if (await isRolledBack(directory, checkpoint.size, beyond)) throw rolledBack(checkpoint.size);
  const edge = new Edge(range, await partialTiles(reader, checkpoint.size), await partialBundle(reader, checkpoint.size));
  for (const tile of beyond) await disk.remove(path.join(directory, tilePath(tile)));
  return edge;
}

/** The checkpoint that the log serves; empty when the log is new. */
export async function readNote(file: string): Promise<string> {
  return (await readPlainFile(file, maxCheckpointBytes))?.toString('utf8') ?? '';
}

async function refuseRollback(checkpoint: Checkpoint, head: string, verifier: Verifier, reader: TileReader): Promise<void> {
  let signed: Checkpoint;
  try {
    signed = openCheckpoint(head, verifier);
  } catch (cause) {
    // It is written without waiting for the disk, so a power cut may leave it empty.
    if (cause instanceof NoteError) return;
    throw cause;
  }
  if (signed.size > checkpoint.size) throw rolledBack(checkpoint.size, signed.size);
  const then = await rootAt(signed.size, (height, index) => reader.node(height, index));
  if (!equal(then, signed.root)) {
    throw new IntramurError('LEDGER_CORRUPT', `the ledger was rewritten: its first ${signed.size} entries are not those that were signed`);
  }
}

async function partialTiles(reader: TileReader, size: number): Promise<Hash[][]> {
  const tiles: Hash[][] = [];
  for (let level = 0; levelSize(level, size) > 0; level += 1) {
    const count = levelSize(level, size);
    const hashes: Hash[] = [];
    for (let position = count - (count % tileWidth); position < count; position += 1) {
      const hash = await reader.hash(level, position);
      if (hash?.length !== hashBytes) throw new IntramurError('LEDGER_CORRUPT', `a hash tile of level ${level} is cut short`);
      hashes.push(hash);
    }
    tiles.push(hashes);
  }
  return tiles;
}

/** The entries of the last bundle, each checked against the hash tile that leads to the signed root. */
async function partialBundle(reader: TileReader, size: number): Promise<Buffer[]> {
  const width = size % tileWidth;
  if (width === 0) return [];
  const index = Math.floor(size / tileWidth);
  const bundle = await reader.read('entries', index);
  const tile = await reader.read(0, index);
  const framed: Buffer[] = [];
  for (const entry of unframeEntries(bundle ?? new Uint8Array())) {
    const hash = tile === undefined ? undefined : hashAt(tile, framed.length);
    const isSound = entry !== undefined && hash !== undefined && equal(leafHash(entry), hash);
    if (!isSound)
      throw new IntramurError('LEDGER_CORRUPT', `ledger entry ${index * tileWidth + framed.length} is not the one that was signed`);
    framed.push(frameEntry(entry));
  }
  if (framed.length !== width) throw new IntramurError('LEDGER_CORRUPT', `ledger entry ${index * tileWidth + framed.length} is missing`);
  return framed;
}

function openOwn(note: string, verifier: Verifier): Checkpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (cause) {
    if (cause instanceof NoteError)
      throw new IntramurError('LEDGER_CORRUPT', `the checkpoint of the ledger is not valid: ${cause.message}`, { cause });
    throw cause;
  }
}

function rolledBack(size: number, signed?: number): IntramurError {
  const known = signed === undefined ? 'more' : `${signed}`;
  return new IntramurError(
    'LEDGER_CORRUPT',
    `the ledger was rolled back: its checkpoint names ${size} entries, but ${known} had been signed`,
    {
      hint: 'restore the ledger from a copy that has them; to begin a new log, move the ledger directory and its key away',
    },
  );
}
