// The journal: groups that are acknowledged and not yet published, one record after the other. A record is what a crash needs to go on
// from the published tree: the entries as a bundle frames them, and the signed checkpoint that names the tree with them in it. Nothing in
// it is trusted: a record counts when its entries lead to the root that its checkpoint signs, so a torn one is told by that.
import path from 'node:path';
import { privateDirectory } from './publisher.ts';
import { unframeEntries } from './tile.ts';

export interface JournalGroup {
  readonly entries: readonly Uint8Array[];
  readonly note: string;
}

/** More than the writer lets stand in it before it publishes. */
export const maxJournalBytes = 64 << 20;

export function journalFile(directory: string): string {
  return path.join(directory, privateDirectory, 'journal');
}

/**
 * uint32 length of the framed entries, uint32 length of the note, both big-endian, then the two.
 * @param memory where the record is put when it has room there; INVARIANT: what stood there was written before
 */
export function encodeGroup(framed: readonly Uint8Array[], note: string, memory = Buffer.alloc(0)): Buffer {
  const entryBytes = framed.reduce((sum, { length }) => sum + length, 0);
  const noteBytes = Buffer.byteLength(note);
  const length = 8 + entryBytes + noteBytes;
  const record = length <= memory.length ? memory.subarray(0, length) : Buffer.allocUnsafe(length);
  record.writeUInt32BE(entryBytes, 0);
  record.writeUInt32BE(noteBytes, 4);
  let at = 8;
  for (const piece of framed) {
    record.set(piece, at);
    at += piece.length;
  }
  record.write(note, at);
  return record;
}

/** The records in order, up to the first that is cut short. */
export function* decodeGroups(journal: Buffer): Generator<JournalGroup> {
  for (let at = 0; at + 8 <= journal.length; ) {
    const note = at + 8 + journal.readUInt32BE(at);
    const end = note + journal.readUInt32BE(at + 4);
    if (end > journal.length) return;
    const entries: Uint8Array[] = [];
    for (const entry of unframeEntries(journal.subarray(at + 8, note))) {
      if (entry === undefined) return;
      entries.push(entry);
    }
    yield { entries, note: journal.toString('utf8', note, end) };
    at = end;
  }
}
