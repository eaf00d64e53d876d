// The index of a git directory, as far as it says whose it is: beside each name it has the inode and the time of the file that git last
// looked at (index-format(5)). Who can write in a workspace can choose a file's time, but not its inode.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { isWithin } from './mount.ts';

/** Enough: of the files that an agent may have replaced since, one that is as git left it will do. */
const maxEntries = 4096;

/** @param index the content of the file `index`, or the beginning of it */
export function knowsFilesOf(index: Buffer, workspace: string): boolean {
  return [...entriesOf(index)].some(({ file, inode, modifiedS }) => {
    const at = path.resolve(workspace, file);
    if (!isWithin(at, workspace)) return false;
    const stat = lstatSync(at, { bigint: true, throwIfNoEntry: false });
    return (
      stat?.isFile() === true && BigInt.asUintN(32, stat.ino) === inode && BigInt.asUintN(32, stat.mtimeNs / 1_000_000_000n) === modifiedS
    );
  });
}

interface Entry {
  readonly file: string;
  /** Their lower 32 bits, which is what git keeps. */
  readonly inode: bigint;
  readonly modifiedS: bigint;
}

/** Of the versions whose names are written out, with SHA-1 names of objects. Anything else has no entries. */
function* entriesOf(index: Buffer): Generator<Entry> {
  const header = 12;
  const [modified, inode, flags] = [8, 20, 60];
  if (index.length < header || index.toString('latin1', 0, 4) !== 'DIRC' || ![2, 3].includes(index.readUInt32BE(4))) return;
  const count = Math.min(index.readUInt32BE(8), maxEntries);
  let at = header;
  for (let i = 0; i < count && at + flags + 4 < index.length; i++) {
    const name = at + flags + (index.readUInt16BE(at + flags) & 0x4000 ? 4 : 2);
    const end = index.indexOf(0, name);
    if (end < 0) return;
    yield {
      file: index.toString('utf8', name, end),
      inode: BigInt(index.readUInt32BE(at + inode)),
      modifiedS: BigInt(index.readUInt32BE(at + modified)),
    };
    // Names end in one to eight zeros, to a multiple of eight.
    at += (end - at + 8) & ~7;
  }
}
