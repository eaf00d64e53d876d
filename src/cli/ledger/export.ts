// `ledger export`: the log for other systems, one line for each entry.
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { IntramurError, product } from '../../core/index.ts';
import { readEntries } from '../../ledger/index.ts';
import type { CliIo } from '../io.ts';
import { jsonLine } from './line.ts';
import { dirOption, ledgerDirectory, parseSince } from './place.ts';

const later = new Set(['ocsf', 'otlp', 'cef']);

export async function exportEntries(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { ...dirOption, format: { type: 'string', default: 'jsonl' }, since: { type: 'string' } },
  });
  if (later.has(values.format)) {
    io.stderr.write(`${product.name}: "ledger export --format ${values.format}" is not built yet\n`);
    return 2;
  }
  if (values.format !== 'jsonl') {
    throw new IntramurError('USAGE', `unknown format ${JSON.stringify(values.format)}`, { hint: 'the formats are jsonl, ocsf, otlp, cef' });
  }
  const since = values.since === undefined ? '' : parseSince(values.since, new Date()).toISOString();
  for await (const entry of readEntries(await ledgerDirectory(values.dir, io))) {
    if (entry.time < since) continue;
    if (!io.stdout.write(`${jsonLine(entry)}\n`)) await once(io.stdout, 'drain');
  }
  return 0;
}
