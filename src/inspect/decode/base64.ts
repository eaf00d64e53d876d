// Base64 and its relatives (RFC 4648, sections 4 and 5; MIME lines of RFC 2045): runs of the alphabet, also over line breaks.
import type { Budget } from '../limits.ts';
import { runView, type Span, type View } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { isPicture, isReadable } from './readable.ts';

const LEAST = 20;
/** A run goes on in the next line only when its line is at least this long: words at line ends are no base64. */
const LEAST_LINE = 40;

const UPPER = 1;
const LOWER = 2;
const DIGIT = 4;
const OTHER = 8;
const classOf = new Uint8Array(256);
for (let i = 0; i < 26; i++) {
  classOf[0x41 + i] = UPPER;
  classOf[0x61 + i] = LOWER;
}
for (let i = 0; i < 10; i++) classOf[0x30 + i] = DIGIT;
for (const mark of '+/-_') classOf[mark.charCodeAt(0)] = OTHER;

/** Runs that may be base64. `places`: somewhere in each. Linear: every byte is looked at at most three times. */
function base64Runs(bytes: Uint8Array, places: Int32Array): Span[] {
  const runs: Span[] = [];
  let free = 0;
  for (const at of places) {
    // What was read as a run is not read again; what follows is looked at from its first byte on.
    if (at < free) continue;
    let start = at;
    while (start > free && classOf[bytes[start - 1] ?? 0] !== 0) start -= 1;
    free = readRun(bytes, start, runs);
  }
  return runs;
}

/** Adds the run that begins at `start` where it is one; says where reading ended. */
function readRun(bytes: Uint8Array, start: number, runs: Span[]): number {
  let lineStart = start;
  let seen = 0;
  let i = start;
  for (;;) {
    for (let kind = classOf[bytes[i] ?? 0] ?? 0; kind !== 0 && i < bytes.length; kind = classOf[bytes[++i] ?? 0] ?? 0) seen |= kind;
    const next = i - lineStart >= LEAST_LINE ? nextLine(bytes, i) : -1;
    if (next < 0) break;
    lineStart = next;
    i = next;
  }
  const end = lineStart > start && isWord(bytes, lineStart, i) ? lineStart : i;
  if (end - start >= LEAST && mayBeBase64(seen, end - start)) runs.push({ start, end });
  return i;
}

/** Where the run goes on after a line break with indentation; -1 when it does not. */
function nextLine(bytes: Uint8Array, end: number): number {
  let i = end;
  if (bytes[i] === 0x0d) i += 1;
  if (bytes[i] !== 0x0a) return -1;
  i += 1;
  for (const limit = i + 16; i < limit && (bytes[i] === 0x20 || bytes[i] === 0x09); ) i += 1;
  return classOf[bytes[i] ?? 0] && i < bytes.length ? i : -1;
}

/** A word that follows in the next line is no end of a run, though its letters are in the alphabet. */
function isWord(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > 24) return false;
  for (let i = start; i < end; i++) if (((classOf[bytes[i] ?? 0] ?? 0) & (UPPER | LOWER)) === 0) return false;
  return true;
}

/** Identifiers and paths lack a kind of character that base64 of any length nearly always has. */
function mayBeBase64(seen: number, length: number): boolean {
  const both = UPPER | LOWER;
  return (seen & both) === both && ((seen & DIGIT) !== 0 || length >= 2 * LEAST);
}

export const base64: Decoder = {
  id: 'base64',
  needs: ['base64'],
  *decode(view, budget, { base64: places }) {
    for (const run of base64Runs(view.bytes, places)) yield* decodeRun(view, run, budget);
  },
};

function* decodeRun(view: View, run: Span, budget: Budget): Generator<View> {
  const text = view.bytes.toString('latin1', run.start, run.end).replace(/\s+/g, '');
  // What stands right before the run may belong to its alphabet too (a path, an underscore): try the other three alignments.
  for (let skip = 0; skip < 4 && text.length - skip >= LEAST; skip++) {
    const bytes = Buffer.from(skip === 0 ? text : text.slice(skip), 'base64');
    if (isPicture(bytes)) budget.noteOpaque();
    if (!isReadable(bytes)) continue;
    budget.chargeView(bytes.length);
    yield runView(view, 'base64', bytes, { start: run.start + skip, end: run.end });
    return;
  }
}
