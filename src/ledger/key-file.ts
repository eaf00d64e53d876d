// The private key of the log: one line in the signer-key form of signed notes, mode 0600, outside the directory that may be published.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { createExclusively, disk } from './disk.ts';
import { generateSigner, NoteError, parseSignerKey, type Signer } from './note.ts';
import { errnoOf } from './plain-file.ts';

/** The signer in `file`; `undefined` when there is no such file. Throws for a key that others may read or that is damaged. */
export async function readKey(file: string): Promise<Signer | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > 4096) throw new IntramurError('LEDGER_APPEND', `not a signing key: ${file}`);
    if ((stat.mode & 0o077) !== 0) {
      throw new IntramurError('LEDGER_APPEND', `the signing key of the ledger is open to others: ${file}`, { hint: `chmod 600 ${file}` });
    }
    return parseSignerKey((await handle.readFile('utf8')).trimEnd());
  } catch (cause) {
    if (cause instanceof NoteError) throw new IntramurError('LEDGER_APPEND', `not a signing key: ${file}`, { cause });
    throw cause;
  } finally {
    await handle.close();
  }
}

/** A new key. It appears under its name whole or not at all. INVARIANT: called only by the holder of the ledger's lock. */
export async function createKey(file: string, origin: string): Promise<Signer> {
  const { signer, keyText } = generateSigner(origin);
  const unfinished = `${file}.new`;
  await disk.makeDirectory(path.dirname(file));
  await rm(unfinished, { force: true });
  await createExclusively(unfinished, `${keyText}\n`, 0o600);
  await rename(unfinished, file);
  await disk.syncDirectory(path.dirname(file));
  return signer;
}
