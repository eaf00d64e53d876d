// Reading the files of a log that may have been prepared by an adversary: only regular files, never through a link, never more bytes than
// the format allows, and never waiting on a pipe.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { IntramurError } from '../core/index.ts';

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The bytes of a regular file; `undefined` when there is none. Throws LEDGER_CORRUPT for anything else at that name. */
export async function readPlainFile(file: string, maxBytes: number): Promise<Buffer | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, flags);
  } catch (cause) {
    const code = errnoOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new IntramurError('LEDGER_CORRUPT', `cannot read ${file}${code === undefined ? '' : ` (${code})`}`, { cause });
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new IntramurError('LEDGER_CORRUPT', `not a regular file: ${file}`);
    if (stat.size > maxBytes) throw new IntramurError('LEDGER_CORRUPT', `larger than the format allows: ${file}`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

export function errnoOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
