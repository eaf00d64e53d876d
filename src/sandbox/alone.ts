// One process at a time. The lock is the kernel's own (SQLite takes it on an empty file), so that it is gone the moment its holder dies.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';

/** Whoever is in there makes or removes some fifty names; longer is a process that was stopped. */
const patienceMs = 20_000;

/** @throws IntramurError SANDBOX_SETUP when `file` cannot be locked, or not in time */
export function alone<Result>(file: string, act: () => Result): Result {
  const { DatabaseSync } = sqlite();
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(file, { timeout: patienceMs });
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    throw new IntramurError('SANDBOX_SETUP', `${file} cannot be locked: another session may be stopped in the middle of its start`, {
      cause,
    });
  }
  try {
    return act();
  } finally {
    database.close();
  }
}

/** Without the warning of a Node that still calls it experimental: the choice is ours. */
function sqlite(): typeof import('node:sqlite') {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
