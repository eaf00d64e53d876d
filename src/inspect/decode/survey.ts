// One pass over a text that says where decoders may find something, so that each of them looks only there.
import type { Budget } from '../limits.ts';
import { hexDigit } from './escapes.ts';
import { Numbers } from './numbers.ts';

/** Positions, in order. INVARIANT: valid until the next survey, because the memory is used again. */
export interface Survey {
  /** Where a piece may stand that is replaced in place: see rewrite.ts. */
  readonly pieces: Int32Array;
  /** Where a number begins that is no part of a word. */
  readonly numbers: Int32Array;
  /** Lines that begin as those of a dump do. */
  readonly dumpLines: Int32Array;
  /** Lines that are comments. */
  readonly commentLines: Int32Array;
  /** Where block comments begin. */
  readonly blockComments: Int32Array;
}

const none = new Int32Array(0);
export const noSurvey: Survey = { pieces: none, numbers: none, dumpLines: none, commentLines: none, blockComments: none };

const NEWLINE = 1;
const SLASH = 2;
const DIGIT = 3;
const QUOTE = 4;
const PIECE = 5;
const kindOf = new Uint8Array(256);
for (const byte of Buffer.from('\\%&=')) kindOf[byte] = PIECE;
for (const byte of Buffer.from('"\'`')) kindOf[byte] = QUOTE;
for (const byte of Buffer.from('0123456789')) kindOf[byte] = DIGIT;
for (let byte = 0xc2; byte <= 0xf4; byte++) kindOf[byte] = PIECE;
kindOf[0x0a] = NEWLINE;
kindOf[0x2f] = SLASH;

const isSpecial = kindOf.map((kind) => (kind === 0 ? 0 : 1));

/** What a digit must not follow to begin a number. */
export const isWord = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.')) isWord[byte] = 1;
/** What stands at a seam of two strings. */
export const isSeam = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=-')) isSeam[byte] = 1;
/** What tools put before a line. */
const isBeforeLine = new Uint8Array(256);
for (const byte of Buffer.from(' \t>|+-')) isBeforeLine[byte] = 1;

const LONGEST_MARGIN = 40;
const OFFSET_DIGITS = 4;

const scratch = {
  pieces: new Numbers(),
  numbers: new Numbers(),
  dumpLines: new Numbers(),
  commentLines: new Numbers(),
  blockComments: new Numbers(),
};
const lists = Object.values(scratch);

export function survey(bytes: Uint8Array, budget: Budget): Survey {
  const { pieces, numbers, dumpLines, commentLines, blockComments } = scratch;
  for (const list of lists) list.clear();
  noteLine(bytes, 0);
  for (let start = 0; start < bytes.length; start += PART) {
    budget.checkTime();
    const count = collect(bytes, start, Math.min(bytes.length, start + PART));
    for (let p = 0; p < count; p++) {
      const i = places[p] ?? 0;
      switch (kindOf[bytes[i] ?? 0]) {
        case NEWLINE:
          noteLine(bytes, i + 1);
          break;
        case SLASH:
          if (bytes[i + 1] === 0x2a) blockComments.push(i);
          break;
        case DIGIT:
          if (i === 0 || isWord[bytes[i - 1] ?? 0] === 0) numbers.push(i);
          break;
        case QUOTE:
          if (i > 0 && isSeam[bytes[i - 1] ?? 0] === 1) pieces.push(i);
          break;
        default:
          pieces.push(i);
      }
    }
  }
  return {
    pieces: pieces.view(),
    numbers: numbers.view(),
    dumpLines: dumpLines.view(),
    commentLines: commentLines.view(),
    blockComments: blockComments.view(),
  };
}

const PART = 1 << 15;
const places = new Int32Array(PART);

/** Where the bytes are that may mean something. INVARIANT: no call and no branch in the loop, so that nothing waits. */
function collect(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    places[count] = i;
    count += isSpecial[bytes[i] ?? 0] ?? 0;
  }
  return count;
}

/** Over what stands before a line to what it begins with: a mark of a comment, or the offset of a dump. */
function noteLine(bytes: Uint8Array, start: number): void {
  let i = start;
  while (isBeforeLine[bytes[i] ?? 0] === 1 && i < start + LONGEST_MARGIN) i += 1;
  const byte = bytes[i] ?? 0;
  if (hexDigit(byte) >= 0) {
    for (let digit = 1; digit < OFFSET_DIGITS; digit++) if (hexDigit(bytes[i + digit] ?? 0) < 0) return;
    scratch.dumpLines.push(start);
  } else if (
    byte === 0x23 ||
    byte === 0x3b ||
    (byte === 0x2f && bytes[i + 1] === byte) ||
    (bytes[i - 1] === 0x2d && bytes[i - 2] === 0x2d)
  ) {
    scratch.commentLines.push(start);
  }
}
