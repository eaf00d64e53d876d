// Which ledger a command means: that of the state directory, or a copy named by `--dir`.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { IntramurError, placesFrom } from '../../core/index.ts';
import type { CliIo } from '../io.ts';
import type { Options } from '../options.ts';

export const dirOption = {
  dir: { type: 'string', value: 'DIR', does: 'of a copy of the log' },
} as const satisfies Options;

/** The directory of the ledger; a missing one is a fault of usage, not of the log. */
export async function ledgerDirectory(dir: string | undefined, io: CliIo): Promise<string> {
  const directory = dir === undefined ? placesFrom(io.env, io.home).ledger : path.resolve(io.cwd, dir);
  const isDirectory = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw new IntramurError('CONFIG_NOT_FOUND', `there is no ledger in ${directory}`);
  return directory;
}

/** A non-negative index as people write it. */
export function parseIndex(text: string | undefined): number {
  if (text === undefined || !/^(0|[1-9]\d{0,15})$/.test(text)) {
    throw new IntramurError(
      'USAGE',
      text === undefined ? 'the index of an entry is missing' : `not the index of an entry: ${JSON.stringify(text)}`,
    );
  }
  return Number(text);
}

const units: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 };

/** A moment: an RFC 3339 date or time, or how long ago (`90m`, `12h`, `7d`, `2w`). */
export function parseSince(text: string, now: Date): Date {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const ago = count === undefined || unit === undefined ? undefined : Number(count) * (units[unit] ?? 0);
  const moment =
    ago === undefined
      ? new Date(/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text) ? text : Number.NaN)
      : new Date(now.getTime() - ago);
  if (Number.isNaN(moment.getTime())) {
    throw new IntramurError('USAGE', `not a moment: ${JSON.stringify(text)}`, { hint: 'write 7d, 12h, 90m, or a date such as 2026-01-31' });
  }
  return moment;
}
