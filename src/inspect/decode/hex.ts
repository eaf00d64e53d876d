// Hexadecimal: plain runs, pairs set apart by spaces, colons or `\x`-less lists, and dumps with offsets (xxd, hexdump, od -tx1).
import type { Span } from '../view.ts';
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { hexDigit } from './escapes.ts';
import { cutAlike } from './pieces.ts';
import { isPicture, isReadable, isSure } from './readable.ts';

/** 12 bytes: shorter runs hold no secret and no line of code. */
const LEAST_DIGITS = 24;

export const hex: Decoder = {
  id: 'hex',
  needs: ['hex'],
  *decode(view, budget, { hex: places }) {
    const runs = hexRuns(view.bytes, places);
    const digitsIn = ({ start, end }: Span) => view.bytes.toString('latin1', start, end).replace(/[^0-9A-Fa-f]+/g, '');
    for (const run of runs) {
      const bytes = Buffer.from(digitsIn(run), 'hex');
      if (isPicture(bytes)) budget.noteOpaque();
      if (!isReadable(bytes)) continue;
      budget.chargeView(bytes.length);
      yield runView(view, 'hex', bytes, run);
    }
    for (const pieces of cutAlike(runs)) {
      const bytes = Buffer.from(pieces.map(digitsIn).join(''), 'hex');
      if (!isSure(bytes)) continue;
      budget.chargeView(bytes.length);
      yield runView(view, 'hex', bytes, { start: pieces[0]?.start ?? 0, end: pieces.at(-1)?.end ?? 0 });
    }
  },
};

/** Digits, and what may stand between two pairs. */
const inRun = new Uint8Array(256);
for (const byte of Buffer.from('0123456789abcdefABCDEF :,\r\n')) inRun[byte] = 1;

/**
 * Pairs of digits, all joined the same loose way: nothing, a space, a colon, a comma or a line break between two. `places`: somewhere in
 * each.
 */
function hexRuns(bytes: Buffer, places: Int32Array): Span[] {
  const runs: Span[] = [];
  let free = 0;
  for (let p = 0; p < places.length; p++) {
    const at = places[p] ?? 0;
    if (at < free) continue;
    let start = at;
    while (start > free && inRun[bytes[start - 1] ?? 0] === 1) start -= 1;
    let end = at + 1;
    while (end < bytes.length && inRun[bytes[end] ?? 0] === 1) end += 1;
    if (end - start >= LEAST_DIGITS) addRuns(bytes, start, end, runs);
    free = end;
  }
  return runs;
}

function addRuns(bytes: Buffer, from: number, to: number, runs: Span[]): void {
  let isInWord = isAlphanumeric(bytes[from - 1] ?? 0) && !isPrefix(bytes, from);
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    if (isInWord || hexDigit(byte) < 0) {
      isInWord = isAlphanumeric(byte);
      continue;
    }
    const start = i;
    let end = start;
    let pairs = 0;
    for (let at = start; hexDigit(bytes[at] ?? 0) >= 0 && hexDigit(bytes[at + 1] ?? 0) >= 0; ) {
      pairs += 1;
      end = at + 2;
      const next = bytes[end];
      const isBetween = next === 0x20 || next === 0x3a || next === 0x2c || next === 0x0a;
      at = isBetween ? end + 1 : next === 0x0d && bytes[end + 1] === 0x0a ? end + 2 : end;
    }
    if (2 * pairs >= LEAST_DIGITS) runs.push({ start: behindNumber(bytes, start), end });
    i = Math.max(i, end - 1);
    isInWord = isAlphanumeric(bytes[i] ?? 0);
  }
}

/** The number of a line is no part of the digits behind it: those stand together, and it does not. */
function behindNumber(bytes: Buffer, start: number): number {
  let at = start;
  while (at < start + LONGEST_NUMBER && hexDigit(bytes[at] ?? 0) >= 0) at += 1;
  const next = bytes[at];
  if (next !== 0x3a && next !== 0x20) return start;
  for (let i = at + 1; i <= at + LEAST_DIGITS; i++) if (hexDigit(bytes[i] ?? 0) < 0) return start;
  return at + 1;
}

const LONGEST_NUMBER = 6;

/** `0x` before `at`, itself no end of a word. */
function isPrefix(bytes: Buffer, at: number): boolean {
  return bytes[at - 1] === 0x78 && bytes[at - 2] === 0x30 && !isAlphanumeric(bytes[at - 3] ?? 0);
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}

/** One line of a dump: an offset, then groups of digits; what follows two spaces or a bar is the same again as text. */
const DUMP_LINE =
  /^[ \t>|+-]{0,16}([0-9A-Fa-f]{4,16}):?[ \t]{1,4}((?:[0-9A-Fa-f]{2,8}[ \t]{1,2}){1,24}(?:[0-9A-Fa-f]{2,8}(?![0-9A-Za-z]))?)/;
const LONGEST_LINE = 240;
/** As `hexdump` and `od -x` write them: seven digits, then words. */
const OFFSET_OF_WORDS = 7;
const WORDS = /^(?:[0-9A-Fa-f]{4} ?){1,8}$/;

export const hexdump: Decoder = {
  id: 'hexdump',
  needs: ['dumpLines'],
  *decode(view, budget, { dumpLines }) {
    const { bytes } = view;
    const digits: string[] = [];
    let run: Span | undefined;
    let areWords = true;
    const flush = function* () {
      const decoded = Buffer.from(digits.join(''), 'hex');
      if (run && decoded.length >= LEAST_DIGITS / 2 && isReadable(decoded)) {
        budget.chargeView(decoded.length);
        yield runView(view, 'hexdump', decoded, run);
        // Of words of two bytes the second comes first, where a machine of our days has written them.
        if (areWords) {
          budget.chargeView(decoded.length);
          yield runView(view, 'hexdump', Buffer.from(decoded.subarray(0, decoded.length & ~1)).swap16(), run);
        }
      }
      digits.length = 0;
      areWords = true;
      run = undefined;
    };
    for (const start of dumpLines) {
      const found = bytes.indexOf(0x0a, start);
      const end = found === -1 ? bytes.length : found;
      const [, offset = '', groups] = DUMP_LINE.exec(bytes.toString('latin1', start, Math.min(end, start + LONGEST_LINE))) ?? [];
      if (groups === undefined) continue;
      // A gap between the lines ends the dump.
      if (run && start > run.end + 2) yield* flush();
      areWords &&= offset.length === OFFSET_OF_WORDS && WORDS.test(groups);
      digits.push(groups.split(/ {2}(?=\S{0,16}[^0-9A-Fa-f\s])/)[0]?.replace(/\s+/g, '') ?? '');
      run = { start: run?.start ?? start, end };
    }
    yield* flush();
  },
};
