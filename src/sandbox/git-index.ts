// The index of a git directory (index-format(5)), in the versions whose names are written out and with SHA-1 names of objects. Anything
// else has no entries here.
import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { isWithin } from './mount.ts';

interface Entry {
  /** Times, inode, mode, size, and the name of the object: 60 bytes. */
  readonly fixed: Buffer;
  readonly flags: number;
  /** Zero where it has none. */
  readonly extended: number;
  readonly name: Buffer;
}

const headerBytes = 12;
const hashBytes = 20;
const fixedBytes = 60;
const isExtended = 0x4000;
const skipWorktree = 0x4000;

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

/**
 * The index with a mark on every file outside of `part`: git then takes them for being as they were, though they are not there.
 * @param part a directory, relative to the top of the working tree
 * @returns nothing where the index cannot be understood as a whole
 */
export function markOutside(index: Buffer, part: string): Buffer | undefined {
  return rewritten(index, (entry) => (isIn(entry, part) ? entry.extended : entry.extended | skipWorktree));
}

/** Takes the marks off again, but for those that the index had before. */
export function unmarkOutside(index: Buffer, before: Buffer, part: string): Buffer | undefined {
  const kept = new Set([...entriesOf(before)].filter(({ extended }) => extended & skipWorktree).map(({ name }) => name.toString('latin1')));
  return rewritten(index, (entry) =>
    isIn(entry, part) || kept.has(entry.name.toString('latin1')) ? entry.extended : entry.extended & ~skipWorktree,
  );
}

function isIn({ name }: Entry, part: string): boolean {
  const prefix = Buffer.from(`${part}/`);
  return name.subarray(0, prefix.length).equals(prefix);
}

function rewritten(index: Buffer, extendedOf: (entry: Entry) => number): Buffer | undefined {
  const entries = [...entriesOf(index)];
  if (index.length < headerBytes + hashBytes || entries.length !== index.readUInt32BE(8)) return undefined;
  const bodies: Buffer[] = [];
  const header = Buffer.from(index.subarray(0, headerBytes));
  header.writeUInt32BE(2, 4);
  for (const entry of entries) {
    const extended = extendedOf(entry);
    if (extended !== 0) header.writeUInt32BE(3, 4);
    bodies.push(entryOf(entry, extended));
  }
  const extensions = extensionsOf(index, endOf(entries));
  if (!extensions) return undefined;
  const content = Buffer.concat([header, ...bodies, ...extensions]);
  // Git may be told to leave the hash out (`index.skipHash`).
  const isHashed = !index.subarray(-hashBytes).equals(Buffer.alloc(hashBytes));
  return Buffer.concat([content, isHashed ? createHash('sha1').update(content).digest() : Buffer.alloc(hashBytes)]);
}

function entryOf({ fixed, flags, name }: Entry, extended: number): Buffer {
  const head = Buffer.alloc(extended === 0 ? 2 : 4);
  head.writeUInt16BE(extended === 0 ? flags & ~isExtended : flags | isExtended, 0);
  if (extended !== 0) head.writeUInt16BE(extended, 2);
  return Buffer.concat([fixed, head, name, Buffer.alloc(paddingOf(fixed.length + head.length + name.length))]);
}

/** One to eight zeros, to a multiple of eight. */
const paddingOf = (length: number): number => 8 - (length % 8);

const sizeOf = ({ fixed, extended, flags, name }: Entry): number => {
  const length = fixed.length + (extended !== 0 || flags & isExtended ? 4 : 2) + name.length;
  return length + paddingOf(length);
};

const endOf = (entries: readonly Entry[]): number => entries.reduce((at, entry) => at + sizeOf(entry), headerBytes);

/**
 * Those that stay true. Of the others git makes new ones, as long as they are optional, which their first letter says.
 * @returns nothing where one is not optional: the entries are then not the whole index
 */
function extensionsOf(index: Buffer, start: number): Buffer[] | undefined {
  const kept: Buffer[] = [];
  for (let at = start; at < index.length - hashBytes; ) {
    const name = index.toString('latin1', at, at + 4);
    const end = at + 8 + index.readUInt32BE(at + 4);
    if (!/^[A-Z]/.test(name) || end > index.length - hashBytes) return undefined;
    if (name === 'TREE' || name === 'REUC') kept.push(index.subarray(at, end));
    at = end;
  }
  return kept;
}

function* entriesOf(index: Buffer): Generator<Entry> {
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
