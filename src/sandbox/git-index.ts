// The index of a git directory with marks on what is not to be looked at (index-format(5), `skip-worktree`).
import { type Entry, entriesOf, headerBytes, isExtended, paddingOf, sizeOf } from './git-entries.ts';

const hashBytes = 20;
const skipWorktree = 0x4000;

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
  return Buffer.concat([content, isHashed ? sha1(content) : Buffer.alloc(hashBytes)]);
}

function entryOf({ fixed, flags, name }: Entry, extended: number): Buffer {
  const head = Buffer.alloc(extended === 0 ? 2 : 4);
  head.writeUInt16BE(extended === 0 ? flags & ~isExtended : flags | isExtended, 0);
  if (extended !== 0) head.writeUInt16BE(extended, 2);
  return Buffer.concat([fixed, head, name, Buffer.alloc(paddingOf(fixed.length + head.length + name.length))]);
}

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

/** Node's own cryptography is loaded by whoever needs it: a launch does without (docs/decisions/0004). */
function sha1(content: Buffer): Buffer {
  return process.getBuiltinModule('node:crypto').createHash('sha1').update(content).digest();
}
