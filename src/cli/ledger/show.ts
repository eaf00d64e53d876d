// `ledger show` and `ledger proof`: single entries, and the proof that one is in the log.
import { type Entry, IntramurError, product } from '../../core/index.ts';
import { proveEntry, readEntries, readEntry, readSize } from '../../ledger/index.ts';
import type { CliIo } from '../io.ts';
import { jsonOption, many, type Options, parseOptions } from '../options.ts';
import { jsonLine, textLine, visible } from './line.ts';
import { dirOption, ledgerDirectory, parseIndex } from './place.ts';

export const showOptions = {
  ...dirOption,
  ...jsonOption,
  session: { type: 'string', value: 'ID', does: 'all entries of a session' },
} as const satisfies Options;

/** `show [N…] [--session S] [--json]`: the named entries, those of a session, or the last twenty. */
export async function show(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, showOptions, many);
  const dir = await ledgerDirectory(values.dir, io);
  const entries: Entry[] = [];
  for (const text of positionals) entries.push(await readEntry(dir, parseIndex(text)));
  if (values.session !== undefined) {
    const before = entries.length;
    for await (const entry of readEntries(dir)) if (entry.session === values.session) entries.push(entry);
    if (entries.length === before)
      io.stderr.write(`${product.name}: the ledger knows no session ${visible(JSON.stringify(values.session))}\n`);
  } else if (positionals.length === 0) {
    const size = await readSize(dir);
    for await (const entry of readEntries(dir, { from: Math.max(0, size - 20), to: size })) entries.push(entry);
  }
  if (values.json) io.stdout.write(`${JSON.stringify({ schema: 'intramur/ledger-show/1', entries })}\n`);
  else for (const entry of entries) io.stdout.write(positionals.length > 0 ? details(entry) : `${textLine(entry)}\n`);
  return 0;
}

/** `proof N`: a C2SP tlog-proof on standard output. */
export async function proof(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseOptions(args, dirOption, many);
  if (positionals.length > 1) throw new IntramurError('USAGE', 'a proof is of one entry');
  const index = parseIndex(positionals[0]);
  io.stdout.write(await proveEntry(await ledgerDirectory(values.dir, io), index));
  return 0;
}

function details(entry: Entry): string {
  const fields: Readonly<Record<string, unknown>> = JSON.parse(jsonLine(entry));
  const rows = Object.entries(fields).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0));
  return `${rows.map(([name, value]) => `${name.padEnd(15)} ${visible(typeof value === 'string' ? value : JSON.stringify(value))}`).join('\n')}\n`;
}
