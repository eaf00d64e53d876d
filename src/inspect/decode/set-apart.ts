// Letters that something other than a blank sets apart: `a.b.c`, `a, b, c`, `'a','b','c'`, a letter a line. What stands between them is always
// the same, so every so many bytes is told from every so many.
import type { Budget } from '../limits.ts';
import { runView, type Span, type View } from '../view.ts';

/** Letters and digits that must follow each other. */
const LEAST = 20;
/** From one letter to the next. */
const LONGEST_PERIOD = 5;
/** A run is longer than this and what is looked at from each place, so one of the places lies in it. */
const STEP = 2 * LEAST - 10;

const SEPARATOR = 1;
const DIGIT = 2;
const LETTER = 4;
const kindOf = new Uint8Array(256);
for (const byte of Buffer.from(' .,;:-_|/*~+\'"\t\r\n')) kindOf[byte] = SEPARATOR;
for (let byte = 0x30; byte <= 0x39; byte++) kindOf[byte] = DIGIT;
for (let byte = 0x41; byte <= 0x5a; byte++) kindOf[byte] = kindOf[byte + 0x20] = LETTER;

/** Of a larger view only what has few words is looked at: letters that are set apart are none. */
const SMALL = 4096;
const FEW_WORDS = 1 / 14;

export function* setApart(view: View, budget: Budget): Generator<View> {
  const { bytes } = view;
  const { ends, words } = view.blocks();
  for (let at = STEP, block = 0; at < bytes.length; at += STEP) {
    while (block < ends.length && (ends[block] ?? 0) <= at) block += 1;
    const begin = ends[block - 1] ?? 0;
    const end = ends[block] ?? bytes.length;
    if (bytes.length > SMALL && (words[block] ?? 0) > FEW_WORDS * (end - begin)) {
      at = Math.max(at, end - (end % STEP));
      continue;
    }
    const found = periodFrom(bytes, at);
    if (found === 0) continue;
    const place = at + Math.floor(found / 8);
    const period = found % 8;
    const run = reach(bytes, place, period);
    at = run.end;
    const plain = lettersOf(bytes, run, period);
    if (!plain) continue;
    budget.chargeView(plain.length);
    yield runView(view, 'spaced', plain, run);
  }
}

/** How far from `at` the same begins to stand every so many bytes, times eight, and every how many; 0 for nowhere near. */
function periodFrom(bytes: Buffer, at: number): number {
  for (let i = at; i < at + LONGEST_PERIOD; i++) {
    const byte = bytes[i] ?? 0;
    if (kindOf[byte] !== SEPARATOR || kindOf[bytes[i - 1] ?? 0] === SEPARATOR) continue;
    // The longest first: of `","` every other byte is a quote, too.
    for (let period = LONGEST_PERIOD; period >= 2; period--) {
      if (bytes[i + period] === byte && bytes[i + 2 * period] === byte && bytes[i + 3 * period] === byte && isSame(bytes, i, period))
        return (i - at) * 8 + period;
    }
  }
  return 0;
}

/** All that stands between two letters stands between the next two. */
function isSame(bytes: Buffer, at: number, period: number): boolean {
  for (let i = at; i < at + period - 1; i++) if (kindOf[bytes[i] ?? 0] !== SEPARATOR || bytes[i] !== bytes[i + period]) return false;
  return true;
}

/** From the first letter to behind the last. */
function reach(bytes: Buffer, place: number, period: number): Span {
  let start = place;
  while (start > period && isSame(bytes, start - period, period)) start -= period;
  let end = place;
  while (end + period < bytes.length && isSame(bytes, end, period)) end += period;
  return { start: start - 1, end: Math.min(bytes.length, end + period) };
}

/** `undefined` when too few of them are letters: lists of digits are numbers. */
function lettersOf(bytes: Buffer, { start, end }: Span, period: number): Buffer | undefined {
  if (end - start < LEAST * period) return undefined;
  const plain = Buffer.allocUnsafe(Math.ceil((end - start) / period));
  let written = 0;
  let letters = 0;
  for (let i = start; i < end; i += period) {
    const byte = bytes[i] ?? 0;
    plain[written++] = byte;
    if (kindOf[byte] === LETTER) letters += 1;
  }
  return 2 * letters >= written ? plain.subarray(0, written) : undefined;
}
