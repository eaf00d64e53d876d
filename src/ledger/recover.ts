// What an open finds on disk: the log that its checkpoint names, the groups of the journal beyond it, and possibly the files of one
// publication that a crash left unfinished, which are removed. INVARIANT: an entry that was acknowledged is never removed; a log that does not lead to its own
// checkpoint, or that is older than what this key has already signed, is not opened.
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { type Acknowledged, acknowledged, grow, readJournal } from './acknowledged.ts';
import { filesBeyond, isRolledBack } from './beyond.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { Disk } from './disk.ts';
import type { Edge } from './edge.ts';
import { NoteError, type Verifier } from './note.ts';
import { equal, rootAt } from './proof.ts';
import { tilePath } from './tile.ts';
import { TileReader } from './tile-reader.ts';

export interface Found {
  readonly edge: Edge;
  /** The signed checkpoint of the edge. */
  readonly note: string;
}

/**
 * The edge of all that was acknowledged; what of it stood only in the journal is published by the caller.
 * @param note the signed checkpoint of the log
 * @param heads checkpoints that this key is known to have signed, kept apart from the log; empty where there is none
 * @throws IntramurError LEDGER_CORRUPT
 */
export async function recover(directory: string, note: string, heads: readonly string[], verifier: Verifier, disk: Disk): Promise<Found> {
  const checkpoint = openOwn(note, verifier);
  const reader = new TileReader(directory, checkpoint.size);
  const range = await reader.range();
  if (!equal(range.root(), checkpoint.root))
    throw new IntramurError('LEDGER_CORRUPT', 'the tiles of the ledger do not lead to its checkpoint');
  const { edge, note: last = note } = await grow(reader, checkpoint.size, await readJournal(directory), verifier);
  for (const head of heads) await refuseRollback(await acknowledged(directory, verifier), head, verifier);

  const beyond = await filesBeyond(directory, checkpoint.size);
  if (await isRolledBack(directory, checkpoint.size, beyond)) throw rolledBack(checkpoint.size);
  for (const tile of beyond) await disk.remove(path.join(directory, tilePath(tile)));
  return { edge, note: last };
}

async function refuseRollback({ size, reader }: Acknowledged, head: string, verifier: Verifier): Promise<void> {
  let signed: Checkpoint;
  try {
    signed = openCheckpoint(head, verifier);
  } catch (cause) {
    // It is written without waiting for the disk, so a power cut may leave it empty.
    if (cause instanceof NoteError) return;
    throw cause;
  }
  if (signed.size > size) throw rolledBack(size, signed.size);
  const then = await rootAt(signed.size, (height, index) => reader.node(height, index));
  if (!equal(then, signed.root)) {
    throw new IntramurError('LEDGER_CORRUPT', `the ledger was rewritten: its first ${signed.size} entries are not those that were signed`);
  }
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
