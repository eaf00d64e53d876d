// The log as far as it was acknowledged: what is published, and the groups of the journal that lead on from there. Every reader starts
// here, so that an entry can be read from the moment its append resolved, with the writer alive or killed.
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { Bundle } from './bundle.ts';
import { openCheckpoint, parseCheckpointText } from './checkpoint.ts';
import { Edge } from './edge.ts';
import { decodeGroups, type JournalGroup, journalFile, maxJournalBytes } from './journal.ts';
import { type CompactRange, type Hash, hashBytes, leafHash } from './merkle.ts';
import { NoteError, parseNote, parseVkey, type Verifier } from './note.ts';
import { readPlainFile } from './plain-file.ts';
import { equal } from './proof.ts';
import { hashAt, levelSize, tileWidth, unframeEntries } from './tile.ts';
import { TileReader } from './tile-reader.ts';

export interface Acknowledged {
  /** The checkpoint of all that was acknowledged. Its signature is for the reader to verify. */
  readonly note: string;
  readonly size: number;
  /** Entries below the checkpoint that others are served. Files beyond it may be those of an unfinished publication. */
  readonly published: number;
  readonly reader: TileReader;
}

const maxCheckpointBytes = 1 << 16;

/** The text of a checkpoint or of the verifier key; empty when there is none. */
export async function readNote(file: string): Promise<string> {
  return (await readPlainFile(file, maxCheckpointBytes))?.toString('utf8') ?? '';
}

/**
 * @param verifier whose signature a record of the journal must carry; default: the log's own key
 * @throws IntramurError CONFIG_NOT_FOUND when there is no log, LEDGER_CORRUPT when its checkpoint does not parse
 */
export async function acknowledged(directory: string, verifier?: Verifier): Promise<Acknowledged> {
  // The journal first: what the writer takes out of it meanwhile stands below the checkpoint that is read then.
  const journal = await readJournal(directory);
  const note = await readNote(path.join(directory, 'checkpoint'));
  if (note === '') throw new IntramurError('CONFIG_NOT_FOUND', `there is no ledger in ${directory}`);
  const size = sizeOf(note);
  const published = { note, size, published: size, reader: new TileReader(directory, size) };
  if (!journal.some((group) => isAhead(group, size))) return published;
  try {
    const key = verifier ?? parseVkey((await readNote(path.join(directory, 'log.vkey'))).trimEnd());
    const grown = await grow(published.reader, size, journal, key);
    if (grown.note === undefined) return published;
    // The tiles that publishing would write now, in place of those on disk.
    const ahead = new Map(grown.edge.take().files.map((file) => [file.path, file.bytes]));
    return { note: grown.note, size: grown.edge.size, published: size, reader: new TileReader(directory, grown.edge.size, ahead) };
  } catch (cause) {
    // What is published is damaged. Whoever goes on reading it, or verifies it, finds where.
    if (cause instanceof NoteError || cause instanceof IntramurError) return published;
    throw cause;
  }
}

/** The complete records of the journal. */
export async function readJournal(directory: string): Promise<readonly JournalGroup[]> {
  const journal = await readPlainFile(journalFile(directory), maxJournalBytes);
  return journal === undefined ? [] : [...decodeGroups(journal)];
}

export interface Grown {
  readonly edge: Edge;
  /** The checkpoint of the last record that leads on; left out when none does. */
  readonly note?: string;
}

/**
 * The edge of the published tree with the records of the journal appended, up to the first that does not lead on: one that is torn, or
 * that was not signed by this key. INVARIANT: the edge has the root that the returned checkpoint signs.
 * @throws IntramurError LEDGER_CORRUPT when the edge that is published is damaged
 */
export async function grow(reader: TileReader, size: number, journal: readonly JournalGroup[], verifier: Verifier): Promise<Grown> {
  const range = await reader.range();
  const edge = new Edge(await reader.range(), await partialTiles(reader, size), await partialBundle(reader, size));
  let note: string | undefined;
  for (const group of journal) {
    // Of a publication that a crash cut off before it emptied the journal.
    if (!isAhead(group, size)) continue;
    for (const entry of group.entries) range.append(leafHash(entry));
    if (!isSigned(group.note, range, verifier)) break;
    edge.append(group.entries);
    note = group.note;
  }
  return note === undefined ? { edge } : { edge, note };
}

function isAhead({ note }: JournalGroup, size: number): boolean {
  try {
    return parseCheckpointText(parseNote(note).text).size > size;
  } catch (cause) {
    if (cause instanceof NoteError) return false;
    throw cause;
  }
}

function isSigned(note: string, range: CompactRange, verifier: Verifier): boolean {
  try {
    const { size, root } = openCheckpoint(note, verifier);
    return size === range.size && equal(root, range.root());
  } catch (cause) {
    if (cause instanceof NoteError) return false;
    throw cause;
  }
}

function sizeOf(note: string): number {
  try {
    return parseCheckpointText(parseNote(note).text).size;
  } catch (cause) {
    if (cause instanceof NoteError)
      throw new IntramurError('LEDGER_CORRUPT', `the checkpoint of the ledger is not valid: ${cause.message}`, { cause });
    throw cause;
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
async function partialBundle(reader: TileReader, size: number): Promise<Bundle> {
  const bundle = new Bundle();
  const width = size % tileWidth;
  if (width === 0) return bundle;
  const index = Math.floor(size / tileWidth);
  const published = await reader.read('entries', index);
  const tile = await reader.read(0, index);
  for (const entry of unframeEntries(published ?? new Uint8Array())) {
    const position = bundle.count;
    const hash = tile === undefined ? undefined : hashAt(tile, position);
    const isSound = entry !== undefined && hash !== undefined && equal(bundle.add(entry), hash);
    if (!isSound) throw new IntramurError('LEDGER_CORRUPT', `ledger entry ${index * tileWidth + position} is not the one that was signed`);
  }
  if (bundle.count !== width) throw new IntramurError('LEDGER_CORRUPT', `ledger entry ${index * tileWidth + bundle.count} is missing`);
  return bundle;
}
