// One writer per log, one starter per daemon. The lock is the kernel's own (SQLite takes it on an empty file), so that it is gone the moment its holder dies,
// however it dies: there is no stale lock to detect and no race in breaking one.
import { chmod } from 'node:fs/promises';
import { IntramurError } from '../core/index.ts';
import { loadSqlite } from './sqlite.ts';

export interface Lock {
  release(): void;
}

/**
 * `undefined` while another process holds it.
 * @throws IntramurError LEDGER_APPEND when the file cannot be locked at all
 */
export async function lockFile(file: string): Promise<Lock | undefined> {
  const { DatabaseSync } = await loadSqlite();
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec('BEGIN EXCLUSIVE');
    await chmod(file, 0o600);
  } catch (cause) {
    database?.close();
    if (cause instanceof Error && /locked|busy/i.test(cause.message)) return undefined;
    throw new IntramurError('LEDGER_APPEND', `${file} cannot be locked${cause instanceof Error ? `: ${cause.message}` : ''}`, { cause });
  }
  const held = database;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}
