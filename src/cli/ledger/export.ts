// `ledger export`: the log for other systems, one line for each entry.
import { once } from 'node:events';
import { type Entry, IntramurError } from '../../core/index.ts';
import { readEntries } from '../../ledger/index.ts';
import type { CliIo } from '../io.ts';
import { type Options, parseOptions } from '../options.ts';
import { cefLine } from './format-cef.ts';
import { ocsfLine } from './format-ocsf.ts';
import { otlpLine } from './format-otlp.ts';
import { jsonLine } from './line.ts';
import { dirOption, ledgerDirectory, parseSince } from './place.ts';

const formats: Readonly<Record<string, (entry: Entry) => string>> = { jsonl: jsonLine, ocsf: ocsfLine, otlp: otlpLine, cef: cefLine };

export const exportOptions = {
  ...dirOption,
  format: { type: 'string', default: 'jsonl', value: 'FORMAT', does: `one of ${Object.keys(formats).join(', ')}` },
  since: { type: 'string', value: 'WHEN', does: 'from when on; 7d, 12h, 90m or a date' },
} as const satisfies Options;

export async function exportEntries(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, exportOptions);
  const line = Object.hasOwn(formats, values.format) ? formats[values.format] : undefined;
  if (line === undefined) {
    throw new IntramurError('USAGE', `unknown format ${JSON.stringify(values.format)}`, {
      hint: `the formats are ${Object.keys(formats).join(', ')}`,
    });
  }
  const since = values.since === undefined ? '' : parseSince(values.since, new Date()).toISOString();
  for await (const entry of readEntries(await ledgerDirectory(values.dir, io))) {
    if (entry.time < since) continue;
    if (!io.stdout.write(`${line(entry)}\n`)) await once(io.stdout, 'drain');
  }
  return 0;
}
