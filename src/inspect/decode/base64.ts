// Base64 and its relatives (RFC 4648, sections 4 to 7; MIME lines of RFC 2045): runs of the alphabet, also over line breaks and in pieces.
import type { Budget } from '../limits.ts';
import { runView, type Span, type View } from '../view.ts';
import { base32Readings } from './base32.ts';
import type { Decoder } from './decoder.ts';
import { cutAlike, LEAST_PIECE } from './pieces.ts';
import { containerKind, isPacked, isPicture, isReadable, isSure } from './readable.ts';
import { rotatedBy13 } from './rot13.ts';

const LEAST = 20;
const LEAST_BASE32 = 32;
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

interface Run extends Span {
  /** The kinds of characters in it. */
  readonly seen: number;
}

/** Runs that may be base64 or a piece of it. `places`: somewhere in each. Linear: every byte is looked at at most three times. */
function base64Runs(bytes: Uint8Array, places: Int32Array): Run[] {
  const runs: Run[] = [];
  let free = 0;
  for (let p = 0; p < places.length; p++) {
    const at = places[p] ?? 0;
    // What was read as a run is not read again; what follows is looked at from its first byte on.
    if (at < free) continue;
    let start = at;
    while (start > free && classOf[bytes[start - 1] ?? 0] !== 0) start -= 1;
    free = readRun(bytes, start, runs);
  }
  return runs;
}

/** Adds the run that begins at `start` where it is one; says where reading ended. */
function readRun(bytes: Uint8Array, start: number, runs: Run[]): number {
  let lineStart = start;
  let lineEnd = start;
  let seen = 0;
  let i = start;
  for (;;) {
    for (let kind = classOf[bytes[i] ?? 0] ?? 0; kind !== 0 && i < bytes.length; kind = classOf[bytes[++i] ?? 0] ?? 0) seen |= kind;
    const next = i - lineStart >= LEAST_LINE ? nextLine(bytes, i) : -1;
    if (next < 0) break;
    lineEnd = i;
    lineStart = next;
    i = next;
  }
  const end = lineStart > start && (isWord(bytes, lineStart, i) || isMargin(bytes, lineStart, i)) ? lineEnd : i;
  if (end - start >= LEAST_PIECE)
    runs.push({ start, end, seen: (seen & DIGIT) === 0 && (seen & UPPER) !== 0 && isMostlyUpper(bytes, start, end) ? seen | DIGIT : seen });
  return i;
}

/** Capitals make few digits, and names have few capitals: so many tell base64 as well as a digit does. */
function isMostlyUpper(bytes: Uint8Array, start: number, end: number): boolean {
  let upper = 0;
  let lower = 0;
  for (let i = start; i < end; i++) {
    const kind = classOf[bytes[i] ?? 0];
    if (kind === UPPER) upper += 1;
    else if (kind === LOWER) lower += 1;
  }
  return lower > 0 && 3 * upper >= 2 * lower;
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

/** Nor is what stands before the text of a line: its number, the name of its file, the mark of a comment. */
function isMargin(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LONGEST_NAME) return false;
  const next = bytes[end] ?? 0;
  if (next === 0x09 || next === 0x3a || next === 0x7c || next >= 0x80) return true;
  if (next === 0x2e) return (classOf[bytes[end + 1] ?? 0] ?? 0) !== 0;
  let seen = 0;
  for (let i = start; i < end; i++) seen |= classOf[bytes[i] ?? 0] ?? 0;
  return next === 0x20 && (seen === DIGIT || seen === OTHER);
}

/** Of a file, with the folders that it lies in. */
const LONGEST_NAME = 39;

/** Identifiers and paths lack a kind of character that base64 of any length nearly always has. */
function mayBeBase64(seen: number, length: number): boolean {
  const both = UPPER | LOWER;
  return length >= LEAST && (seen & both) === both && ((seen & DIGIT) !== 0 || length >= 2 * LEAST);
}

/** Letters of one case and digits, and nothing else. */
function mayBeBase32(seen: number, length: number): boolean {
  return length >= LEAST_BASE32 && (seen === (UPPER | DIGIT) || seen === (LOWER | DIGIT));
}

export const base64: Decoder = {
  id: 'base64',
  needs: ['base64'],
  *decode(view, budget, { base64: places }) {
    const runs = base64Runs(view.bytes, places);
    // Most are names and paths: not even an iterator is made for those.
    for (const run of runs) if (mayBeEncoded(run.seen, run.end - run.start)) yield* decodeRun(view, run, budget);
    for (const pieces of cutAlike(runs)) {
      const seen = pieces.reduce((all, piece) => all | piece.seen, 0);
      const start = pieces[0]?.start ?? 0;
      const end = pieces.at(-1)?.end ?? 0;
      // Names of one length have no digits, or stand for something that is no text.
      if ((seen & DIGIT) === 0 || !mayBeEncoded(seen, end - start)) continue;
      const text = pieces.map((piece) => view.bytes.toString('latin1', piece.start, piece.end)).join('');
      yield* decodePieces(view, { start, end, seen }, text, budget);
    }
  },
};

function mayBeEncoded(seen: number, length: number): boolean {
  return mayBeBase64(seen, length) || mayBeBase32(seen, length);
}

/** Of a diff each line begins with a mark that is in the alphabet. */
const ADDED_LINES = /^\+[^\n+][^\n]*(?:\n[ \t]*\+[^\n]+)+$/;

function* decodeRun(view: View, run: Run, budget: Budget): Generator<View> {
  const raw = view.bytes.toString('latin1', run.start, run.end);
  if (view.bytes[run.start] === PLUS && ADDED_LINES.test(raw)) {
    const added = [...decodePieces(view, run, raw.slice(1).replace(/\n[ \t]*\+/g, ''), budget)];
    yield* added;
    if (added.length > 0) return;
  }
  const text = raw.replace(/\s+/g, '');
  const reading = mayBeBase32(run.seen, text.length) ? sureBase32(text) : undefined;
  if (reading) yield charged(view, 'base32', reading, run, budget);
  else if (mayBeBase64(run.seen, text.length)) yield* decodeBase64(view, run, text, budget);
}

const PLUS = 0x2b;

/** What was cut is believed to belong together only where that makes sense. */
function* decodePieces(view: View, run: Run, raw: string, budget: Budget): Generator<View> {
  const text = raw.replace(/\s+/g, '');
  if (mayBeBase32(run.seen, text.length)) {
    const reading = sureBase32(text);
    if (reading) yield charged(view, 'base32', reading, run, budget);
  } else if (mayBeBase64(run.seen, text.length)) {
    const skip = sureAlignment(text);
    if (skip !== undefined) yield charged(view, 'base64', Buffer.from(text.slice(skip), 'base64'), run, budget);
  }
}

function* decodeBase64(view: View, run: Run, text: string, budget: Budget): Generator<View> {
  // What stands right before the run may belong to its alphabet too (a path, an underscore): try the other three alignments.
  let sure: number | undefined;
  let packed: number | undefined;
  for (let skip = 0; sure === undefined && skip < 4 && text.length - skip >= LEAST; skip++) {
    const bytes = beginningOf(text, skip);
    if (isPicture(bytes)) budget.noteOpaque();
    else if (isSure(bytes)) sure = skip;
    else if (containerKind(bytes) !== undefined) packed ??= skip;
  }
  const name = sure === undefined ? text.lastIndexOf('/') + 1 : 0;
  if (name > 0 && text.length - name >= LEAST && isSure(beginningOf(text, name))) {
    yield charged(view, 'base64', Buffer.from(text.slice(name), 'base64'), { start: run.start + name, end: run.end }, budget);
    return;
  }
  // Shorter noise is digests and keys, which code is full of.
  if (sure === undefined && packed === undefined && text.length < LEAST_NOISE) return;
  const other = sure === undefined && text.length >= LEAST_NOISE ? disguised(text) : undefined;
  if (other) yield charged(view, other.id, Buffer.from(other.text, 'base64'), run, budget);
  // Masked text makes sense where it was not meant to, so the run is read as it stands, too.
  for (const skip of new Set([sure ?? packed ?? 0, 0])) {
    const bytes = Buffer.from(skip === 0 ? text : text.slice(skip), 'base64');
    if (skip === sure || (!other && isReadable(bytes)))
      yield charged(view, 'base64', bytes, { start: run.start + skip, end: run.end }, budget);
  }
}

/** How many characters to leave out for what follows to make sense. */
function sureAlignment(text: string): number | undefined {
  for (let skip = 0; skip < 4 && text.length - skip >= LEAST; skip++) if (isSure(beginningOf(text, skip))) return skip;
  return undefined;
}

/** Noise may be a stream behind a path, or base64 whose letters were rotated or reversed. */
function disguised(text: string): { id: string; text: string } | undefined {
  for (let at = text.indexOf('/'); at !== -1 && at < LONGEST_PATH; at = text.indexOf('/', at + 1))
    if (isPacked(beginningOf(text, at + 1))) return { id: 'base64', text: text.slice(at + 1) };
  // The whole is made over only when its beginning makes sense.
  if (isSure(beginningOf(backwards(text.slice(-SAMPLE)), 0))) return { id: 'base64-reversed', text: backwards(text) };
  if (isSure(beginningOf(rotated(text.slice(0, SAMPLE)), 0))) return { id: 'base64-rot13', text: rotated(text) };
  return undefined;
}

function backwards(text: string): string {
  return Buffer.from(text, 'latin1').reverse().toString('latin1');
}

function rotated(text: string): string {
  return text.replace(/[a-z]/gi, rotatedBy13);
}

/** As much of what the text says as is looked at to tell whether it says anything. */
function beginningOf(text: string, skip: number): Buffer {
  return Buffer.from(text.slice(skip, skip + SAMPLE), 'base64');
}

/** A multiple of four; more than is looked at to tell text and the mark of a tar. */
const SAMPLE = 1024;
const LONGEST_PATH = 128;
/** Of 96 bytes, as `isReadable` has it. */
const LEAST_NOISE = 128;

function sureBase32(text: string): Buffer | undefined {
  return base32Readings(text).find(isSure);
}

function charged(view: View, id: string, bytes: Buffer, run: Span, budget: Budget): View {
  budget.chargeView(bytes.length);
  return runView(view, id, bytes, run);
}
