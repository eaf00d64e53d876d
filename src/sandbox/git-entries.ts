// The entries of the index of a git directory (index-format(5)), in the versions whose names are written out and with SHA-1 names of objects.
// Anything else has no entries here.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { isWithin } from './mount.ts';

export interface Entry {
  /** Times, inode, mode, size, and the name of the object: 60 bytes. */
  readonly fixed: Buffer;
  readonly flags: number;
  /** Zero where it has none. */
  readonly extended: number;
  readonly name: Buffer;
}

export const headerBytes = 12;
const fixedBytes = 60;
export const isExtended = 0x4000;

/** Enough: of the files that an agent may have replaced since, one that is as git left it will do. */
const maxCompared = 4096;

/**
 * Beside each name stand the inode and the time of the file that git last looked at. Who can write in a workspace can choose a file's
 * time, but not its inode.
 * @param index the content of the file `index`, or the beginning of it
 */
export function knowsFilesOf(index: Buffer, workspace: string): boolean {
  let count = 0;
  for (const { fixed, name } of entriesOf(index)) {
    if (++count > maxCompared) return false;
    const at = path.resolve(workspace, name.toString());
    const stat = isWithin(at, workspace) ? lstatSync(at, { bigint: true, throwIfNoEntry: false }) : undefined;
    if (!stat?.isFile() || BigInt.asUintN(32, stat.ino) !== BigInt(fixed.readUInt32BE(20))) continue;
    if (BigInt.asUintN(32, stat.mtimeNs / 1_000_000_000n) === BigInt(fixed.readUInt32BE(8))) return true;
  }
  return false;
}

export function* entriesOf(index: Buffer): Generator<Entry> {
  if (index.length < headerBytes || index.toString('latin1', 0, 4) !== 'DIRC' || ![2, 3].includes(index.readUInt32BE(4))) return;
  const count = index.readUInt32BE(8);
  let at = headerBytes;
  for (let i = 0; i < count && at + fixedBytes + 4 < index.length; i++) {
    const flags = index.readUInt16BE(at + fixedBytes);
    const hasMore = (flags & isExtended) !== 0;
    const from = at + fixedBytes + (hasMore ? 4 : 2);
    const end = index.indexOf(0, from);
    if (end < 0) return;
    const extended = hasMore ? index.readUInt16BE(at + fixedBytes + 2) : 0;
    const entry = { fixed: index.subarray(at, at + fixedBytes), flags, extended, name: index.subarray(from, end) };
    yield entry;
    at += sizeOf(entry);
  }
}

/** One to eight zeros, to a multiple of eight. */
export const paddingOf = (length: number): number => 8 - (length % 8);

export const sizeOf = ({ fixed, extended, flags, name }: Entry): number => {
  const length = fixed.length + (extended !== 0 || flags & isExtended ? 4 : 2) + name.length;
  return length + paddingOf(length);
};
