// `ledger verify`: is this the log that was signed, whole and unaltered? For people or as JSON.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { IntramurError, placesFrom } from '../../core/index.ts';
import { type Verification, verifyLedger } from '../../ledger/index.ts';
import { reasonOf } from '../file-fault.ts';
import type { CliIo } from '../io.ts';
import { jsonOption, type Options, parseOptions } from '../options.ts';
import { visible } from './line.ts';
import { dirOption, ledgerDirectory } from './place.ts';

export const verifyOptions = {
  ...dirOption,
  ...jsonOption,
  key: { type: 'string', value: 'FILE', does: "the verifier's key, where it is not beside the log" },
  checkpoint: { type: 'string', multiple: true, value: 'FILE', does: 'saved earlier: this log must have grown from it' },
} as const satisfies Options;

export async function verify(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, verifyOptions);
  const own = values.dir === undefined ? await lastSigned(io) : [];
  const dir = await ledgerDirectory(values.dir, io).catch((fault: unknown) => {
    // A log that was never begun is no log; one whose key has signed entries is one that somebody took away.
    if (own.length === 0) throw fault;
    return undefined;
  });
  const vkey = values.key === undefined ? undefined : (await named(values.key, io)).trim();
  const saved: string[] = [];
  for (const file of values.checkpoint ?? []) saved.push(await named(file, io));
  saved.push(...own);
  const verification =
    dir === undefined ? gone(own) : await verifyLedger({ dir, checkpoint: saved, ...(vkey === undefined ? {} : { vkey }) });
  if (values.json) io.stdout.write(`${JSON.stringify({ schema: 'intramur/ledger-verify/1', ...verification })}\n`);
  else io.stdout.write(`${text(verification)}\n`);
  return verification.ok ? 0 : 1;
}

function gone([note = '']: readonly string[]): Verification {
  return { ok: false, size: 0, root: '', checkpoints: 0, reason: `the ledger is gone: its key had signed ${note.split('\n')[1]} entries` };
}

/** The checkpoint that the writer keeps beside its key: a log of this machine that is older than that was rolled back. */
async function lastSigned(io: CliIo): Promise<string[]> {
  try {
    const note = await readFile(path.join(placesFrom(io.env, io.home).state, 'ledger.key.head'), 'utf8');
    return note === '' ? [] : [note];
  } catch {
    return [];
  }
}

async function named(file: string, io: CliIo): Promise<string> {
  try {
    return await readFile(path.resolve(io.cwd, file), 'utf8');
  } catch (cause) {
    throw new IntramurError('CONFIG_NOT_FOUND', `cannot read ${JSON.stringify(file)}: ${reasonOf(cause)}`, { cause });
  }
}

function text({ ok, size, root, checkpoints, firstBad, reason }: Verification): string {
  if (ok) return `ok: ${size} entries, ${checkpoints} signed checkpoint${checkpoints === 1 ? '' : 's'}, root ${root}`;
  return `not ok: ${firstBad === undefined ? '' : `entry ${firstBad}: `}${visible(reason ?? '')}`;
}
