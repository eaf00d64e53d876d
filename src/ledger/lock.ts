// One writer per log. The lock is the kernel's own (SQLite takes it on an empty file), so that it is gone the moment its holder dies,
// however it dies: there is no stale lock to detect and no race in breaking one.
import { chmod } from 'node:fs/promises';
import { IntramurError } from '../core/index.ts';
import { loadSqlite } from './sqlite.ts';

export interface Lock {
  release(): void;
}

export async function lockFile(file: string): Promise<Lock> {
  const { DatabaseSync } = await loadSqlite();
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec('BEGIN EXCLUSIVE');
    await chmod(file, 0o600);
  } catch (cause) {
    database?.close();
    const isHeld = cause instanceof Error && /locked|busy/i.test(cause.message);
    throw isHeld
      ? new IntramurError('LEDGER_APPEND', 'another process is writing this ledger', {
          cause,
          hint: 'stop the running daemon first: intramur down',
        })
      : new IntramurError('LEDGER_APPEND', `the ledger cannot be locked: ${file}`, { cause });
  }
  const held = database;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}
