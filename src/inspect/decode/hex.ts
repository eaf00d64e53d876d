// Hexadecimal: plain runs, pairs set apart by spaces, colons or `\x`-less lists, and dumps with offsets (xxd, hexdump -C, od -tx1).
import type { Span } from '../view.ts';
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { isReadable } from './readable.ts';

/** 12 bytes: shorter runs hold no secret and no line of code. */
const LEAST_DIGITS = 24;

export const hex: Decoder = {
  id: 'hex',
  *decode(view, budget) {
    for (const match of view.text.matchAll(/(?<![0-9A-Za-z])(?:0x)?[0-9A-Fa-f]{2}(?:[ :,]?[0-9A-Fa-f]{2}|\r?\n[0-9A-Fa-f]{2}){11,}/g)) {
      const digits = match[0].replace(/^0x|[^0-9A-Fa-f]+/g, '');
      if (digits.length < LEAST_DIGITS) continue;
      const bytes = Buffer.from(digits, 'hex');
      if (!isReadable(bytes)) continue;
      budget.chargeView(bytes.length);
      yield runView(view, 'hex', bytes, { start: match.index, end: match.index + match[0].length });
    }
  },
};

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
