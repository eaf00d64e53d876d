// Entries as the tiles hold them, and as the journal holds those that are not published yet. Parsed strictly; whether they are the entries that were
// signed is what `verifyLedger` and proofs answer.
import { type Entry, IntramurError } from '../core/index.ts';
import { acknowledged } from './acknowledged.ts';
import { parseEntry } from './entry.ts';
import { tileWidth, unframeEntries } from './tile.ts';
import type { TileReader } from './tile-reader.ts';

export interface EntryRange {
  /** First index, default 0. */
  readonly from?: number;
  /** Index after the last, default and at most the size of the log. */
  readonly to?: number;
}

/** The number of entries that were acknowledged; whether they were signed is not looked at. */
export async function readSize(directory: string): Promise<number> {
  return (await acknowledged(directory)).size;
}

/** Size and root (base64) of what was acknowledged; whether that was signed is not looked at. */
export async function readHead(directory: string): Promise<{ readonly size: number; readonly root: string }> {
  const { note, size } = await acknowledged(directory);
  // The third line of a checkpoint.
  return { size, root: note.split('\n', 3)[2] ?? '' };
}

/** Throws LEDGER_CORRUPT at the first entry that is missing or is not what `append` writes. */
export async function* readEntries(directory: string, range: EntryRange = {}): AsyncGenerator<Entry> {
  const { size, reader } = await acknowledged(directory);
  const from = Math.max(0, range.from ?? 0);
  const to = Math.min(size, range.to ?? size);
  for (let bundle = Math.floor(from / tileWidth); bundle * tileWidth < to; bundle += 1) {
    const last = Math.min(to, (bundle + 1) * tileWidth);
    let index = bundle * tileWidth;
    for (const bytes of await entriesIn(reader, bundle)) {
      if (index >= last) break;
      if (bytes === undefined) break;
      if (index >= from) yield parseEntry(bytes, index);
      index += 1;
    }
    if (index < last) throw new IntramurError('LEDGER_CORRUPT', `ledger entry ${index} is missing`);
  }
}

export async function readEntry(directory: string, index: number): Promise<Entry> {
  for await (const entry of readEntries(directory, { from: index, to: index + 1 })) return entry;
  throw new IntramurError('CONFIG_NOT_FOUND', `the ledger has no entry ${index}`);
}

/** The bytes of one entry, which are what a proof is about. */
export async function readEntryBytes(directory: string, index: number): Promise<Uint8Array> {
  const { size, reader } = await acknowledged(directory);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new IntramurError('CONFIG_NOT_FOUND', `the ledger has no entry ${index}`);
  let at = Math.floor(index / tileWidth) * tileWidth;
  for (const bytes of await entriesIn(reader, Math.floor(index / tileWidth))) {
    if (bytes !== undefined && at === index) return bytes;
    at += 1;
  }
  throw new IntramurError('LEDGER_CORRUPT', `ledger entry ${index} is missing`);
}

async function entriesIn(reader: TileReader, bundle: number): Promise<Iterable<Uint8Array | undefined>> {
  return unframeEntries((await reader.read('entries', bundle)) ?? new Uint8Array());
}
