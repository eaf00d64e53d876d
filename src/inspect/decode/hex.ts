// Hexadecimal: plain runs, pairs set apart by spaces, colons or `\x`-less lists, and dumps with offsets (xxd, hexdump -C, od -tx1).
import type { Span } from '../view.ts';
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { hexDigit } from './escapes.ts';
import { isReadable } from './readable.ts';

/** 12 bytes: shorter runs hold no secret and no line of code. */
const LEAST_DIGITS = 24;

export const hex: Decoder = {
  id: 'hex',
  *decode(view, budget) {
    for (const run of hexRuns(view.bytes)) {
      const bytes = Buffer.from(view.text.slice(run.start, run.end).replace(/[^0-9A-Fa-f]+/g, ''), 'hex');
      if (!isReadable(bytes)) continue;
      budget.chargeView(bytes.length);
      yield runView(view, 'hex', bytes, run);
    }
  },
};

/** Pairs of digits, all joined the same loose way: nothing, a space, a colon, a comma or a line break between two. */
function hexRuns(bytes: Buffer): Span[] {
  const runs: Span[] = [];
  let isInWord = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (isInWord || hexDigit(byte) < 0) {
      isInWord = isAlphanumeric(byte);
      continue;
    }
    const start = byte === 0x30 && bytes[i + 1] === 0x78 ? i + 2 : i;
    let end = start;
    let pairs = 0;
    for (let at = start; hexDigit(bytes[at] ?? 0) >= 0 && hexDigit(bytes[at + 1] ?? 0) >= 0; ) {
      pairs += 1;
      end = at + 2;
      const next = bytes[end];
      at =
        next === 0x20 || next === 0x3a || next === 0x2c || next === 0x0a
          ? end + 1
          : next === 0x0d && bytes[end + 1] === 0x0a
            ? end + 2
            : end;
    }
    if (2 * pairs >= LEAST_DIGITS) runs.push({ start, end });
    i = Math.max(i, end - 1);
    isInWord = isAlphanumeric(bytes[i] ?? 0);
  }
  return runs;
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}

/** One line of a dump: an offset, then groups of digits; what follows two spaces or a bar is the same again as text. */
const DUMP_LINE =
  /^[ \t>|+-]{0,16}([0-9A-Fa-f]{4,16}):?[ \t]{1,4}((?:[0-9A-Fa-f]{2,8}[ \t]{1,2}){1,24}(?:[0-9A-Fa-f]{2,8}(?![0-9A-Za-z]))?)/;

export const hexdump: Decoder = {
  id: 'hexdump',
  *decode(view, budget) {
    let digits = '';
    let run: Span | undefined;
    const flush = function* () {
      const bytes = Buffer.from(digits, 'hex');
      if (run && bytes.length >= LEAST_DIGITS / 2 && isReadable(bytes)) {
        budget.chargeView(bytes.length);
        yield runView(view, 'hexdump', bytes, run);
      }
      digits = '';
      run = undefined;
    };
    for (const line of view.text.matchAll(/^[ \t>|+-]{0,16}[0-9A-Fa-f]{4,16}:?[ \t][^\n]{0,200}/gm)) {
      const groups = DUMP_LINE.exec(line[0])?.[2];
      if (groups === undefined) continue;
      // A gap between the lines ends the dump.
      if (run && line.index > run.end + 2) yield* flush();
      digits += groups.split(/ {2}(?=\S{0,16}[^0-9A-Fa-f\s])/)[0]?.replace(/\s+/g, '') ?? '';
      const end = view.text.indexOf('\n', line.index);
      run = { start: run?.start ?? line.index, end: end === -1 ? view.bytes.length : end };
    }
    yield* flush();
  },
};
