// `ledger tail`: the last entries, then each new one as soon as a checkpoint names it.
import { setTimeout as sleep } from 'node:timers/promises';
import { IntramurError } from '../../core/index.ts';
import { readEntries, readSize } from '../../ledger/index.ts';
import type { CliIo } from '../io.ts';
import { type Options, parseOptions } from '../options.ts';
import { jsonLine, textLine } from './line.ts';
import { dirOption, ledgerDirectory } from './place.ts';

const pollMs = 200;

export const tailOptions = {
  ...dirOption,
  json: { type: 'boolean', default: false, does: 'JSON lines' },
  lines: { type: 'string', short: 'n', default: '10', value: 'N', does: 'so many of those that are there' },
  'no-follow': { type: 'boolean', default: false, does: 'do not wait for more' },
} as const satisfies Options;

export async function tail(args: readonly string[], io: CliIo): Promise<number> {
  const { values } = parseOptions(args, tailOptions);
  const dir = await ledgerDirectory(values.dir, io);
  let next = Math.max(0, (await readSize(dir)) - countOf(values.lines));
  while (io.signal?.aborted !== true) {
    for await (const entry of readEntries(dir, { from: next })) {
      io.stdout.write(`${values.json ? jsonLine(entry) : textLine(entry)}\n`);
      next = entry.index + 1;
    }
    if (values['no-follow']) break;
    await sleep(pollMs, undefined, io.signal === undefined ? {} : { signal: io.signal }).catch(() => {});
  }
  return 0;
}

function countOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new IntramurError('USAGE', `--lines ${JSON.stringify(text)} is not a number of entries`);
  return Number(text);
}
