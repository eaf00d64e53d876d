// The inner loop of the survey (decode/survey.ts), written so that it can be compiled to WebAssembly: sixteen bytes at a time are told apart
// by classes, each a mask of sixteen bits, and only what stands beside the right neighbour is noted.
import { among, ctz, halve, load8, load32, notAscii, popcnt, store32 } from './memory.ts';

/** Tables of classes. */
export const PIECES = 0;
export const QUOTES = 16;
export const SEAM = 32;
export const WORD = 48;
export const DIGITS = 64;
export const BASE64 = 80;
export const IN_HEX = 96;
export const HEX = 112;
export const MARGIN = 128;
export const NEWLINE = 144;
export const STAR = 160;
export const SPACE = 176;
/** The halves of sixteen bytes of the text, and of others that are looked at meanwhile. */
const HALVES = 192;
const OTHER_HALVES = 224;
/** Is a byte a digit of hexadecimal? */
export const HEX_DIGIT = 256;
/** How much of each list is written, then how many letters are set apart. */
export const COUNTS = 768;
/** The text: what stands before it, one part of it, and what a line that begins in it is told by. */
export const TEXT = 1024;
export const PART = 32768;
export const BEHIND = 64;
/** Positions, list by list: pieces, numbers, lines of dumps, lines of comments, block comments, runs of base64, runs of hexadecimal. */
export const LISTS = 65536;
export const LIST = 4 * PART;
export const HOW_MANY = 7;
const NUMBERS = LISTS + LIST;
const DUMP_LINES = LISTS + 2 * LIST;
const COMMENT_LINES = LISTS + 3 * LIST;
const BLOCK_COMMENTS = LISTS + 4 * LIST;
const BASE64_RUNS = LISTS + 5 * LIST;
const HEX_RUNS = LISTS + 6 * LIST;
/** Where lines begin, for this kernel alone. */
const LINES = LISTS + 7 * LIST;
export const PAGES = 17;

const LONGEST_MARGIN = 40;
const OFFSET_DIGITS = 4;
const DUMP = 1;
const COMMENT = 2;
const FULL = 65535;

/** Over what stands before a line to what it begins with: a mark of a comment, or the offset of a dump. */
function kindOfLine(start: number): number {
  let i = start;
  halve(i, OTHER_HALVES);
  let margin = among(OTHER_HALVES, MARGIN);
  while (margin === FULL && i < start + 32) {
    i += 16;
    halve(i, OTHER_HALVES);
    margin = among(OTHER_HALVES, MARGIN);
  }
  i += ctz((margin ^ FULL) | 65536);
  if (i > start + LONGEST_MARGIN) i = start + LONGEST_MARGIN;
  const byte = load8(i);
  if (load8(HEX_DIGIT + byte)) {
    for (let digit = 1; digit < OFFSET_DIGITS; digit += 1) {
      if (load8(HEX_DIGIT + load8(i + digit)) === 0) return 0;
    }
    return DUMP;
  }
  if (byte === 0x23 || byte === 0x3b || (byte === 0x2f && load8(i + 1) === byte)) return COMMENT;
  // `--` was skipped as what stands before a line.
  if (load8(i - 1) === 0x2d && load8(i - 2) === 0x2d) return COMMENT;
  return 0;
}

/** Of the bytes beyond ASCII those that begin a character. */
function leads(at: number, bytes: number): number {
  let mask = 0;
  for (let rest = bytes; rest; rest &= rest - 1) {
    const byte = load8(at + ctz(rest));
    if (byte >= 0xc2 && byte <= 0xf4) mask |= rest & (0 - rest);
  }
  return mask;
}

/** Pairs of digits with at most two bytes between them: no three in a row are anything else. */
function isDense(at: number): number {
  halve(at, OTHER_HALVES);
  const digits = among(OTHER_HALVES, HEX);
  return ((digits | (digits >>> 1) | (digits >>> 2)) & 16383) === 16383 ? 1 : 0;
}

/** Notes where the bits of a mask are; says where the list then ends. Two are always written, so that few branches cannot be foretold. */
function note(list: number, mask: number, first: number): number {
  store32(list, first + ctz(mask));
  let rest = mask & (mask - 1);
  store32(list + 4, first + ctz(rest));
  rest &= rest - 1;
  for (let more = list + 8; rest; rest &= rest - 1) {
    store32(more, first + ctz(rest));
    more += 4;
  }
  return list + (popcnt(mask) << 2);
}

/** Surveys the memory from `from` to `to`; noted are addresses plus `shift`. `isFirst`: a line begins at `from`. */
export function survey(from: number, to: number, shift: number, isFirst: number): number {
  let piece = LISTS;
  let number = NUMBERS;
  let block = BLOCK_COMMENTS;
  let base64 = BASE64_RUNS;
  let hex = HEX_RUNS;
  let line = LINES;
  if (isFirst) {
    store32(line, from);
    line += 4;
  }
  const before = from - 16;
  halve(before, HALVES);
  let lastWord = among(HALVES, WORD);
  let lastSeam = among(HALVES, SEAM);
  let lastRun = among(HALVES, BASE64);
  let lastSpace = among(HALVES, SPACE);
  let apart = 0;
  let lastPairs = among(HALVES, IN_HEX);
  for (let i = from; i < to; i += 16) {
    halve(i, HALVES);
    const seam = among(HALVES, SEAM);
    let mask = among(HALVES, PIECES) | (among(HALVES, QUOTES) & ((seam << 1) | (lastSeam >>> 15)));
    lastSeam = seam;
    const high = notAscii(i);
    if (high) mask |= leads(i, high);
    piece = note(piece, mask, i + shift);
    const word = among(HALVES, WORD);
    number = note(number, among(HALVES, DIGITS) & (((word << 1) | (lastWord >>> 15)) ^ -1), i + shift);
    // A letter, a blank, a letter, a blank: those that end here.
    const space = among(HALVES, SPACE);
    const letters = lastWord | (word << 16);
    const blanks = lastSpace | (space << 16);
    apart += popcnt(letters & (blanks >>> 1) & (letters >>> 2) & (blanks >>> 3) & 0x1fffe000);
    lastWord = word;
    lastSpace = space;
    line = note(line, among(HALVES, NEWLINE), i + 1);
    mask = among(HALVES, STAR);
    for (; mask; mask &= mask - 1) {
      const at = i + ctz(mask) - 1;
      if (load8(at) !== 0x2f) continue;
      store32(block, at + shift);
      block += 4;
    }
    // Sixteen in a row that end here.
    const run = among(HALVES, BASE64);
    mask = lastRun | (run << 16);
    mask &= mask >>> 1;
    mask &= mask >>> 2;
    mask &= mask >>> 4;
    if (mask & (mask >>> 8)) {
      store32(base64, i + shift);
      base64 += 4;
    }
    lastRun = run;
    // A run of 24 holds sixteen that begin at a multiple of eight.
    const pairs = among(HALVES, IN_HEX);
    const across = (lastPairs >>> 8) | ((pairs & 255) << 8);
    if ((pairs === FULL && isDense(i)) || (across === FULL && isDense(i - 8))) {
      store32(hex, i + shift);
      hex += 4;
    }
    lastPairs = pairs;
  }
  store32(COUNTS, (piece - LISTS) >> 2);
  store32(COUNTS + 4, (number - NUMBERS) >> 2);
  linesTo(line, shift);
  store32(COUNTS + 16, (block - BLOCK_COMMENTS) >> 2);
  store32(COUNTS + 20, (base64 - BASE64_RUNS) >> 2);
  store32(COUNTS + 24, (hex - HEX_RUNS) >> 2);
  store32(COUNTS + 28, apart);
  return 0;
}

/** Tells the lines of dumps and of comments among those that were noted. */
function linesTo(end: number, shift: number): number {
  let dump = DUMP_LINES;
  let comment = COMMENT_LINES;
  for (let line = LINES; line < end; line += 4) {
    const at = load32(line);
    const kind = kindOfLine(at);
    if (kind === DUMP) {
      store32(dump, at + shift);
      dump += 4;
    } else if (kind === COMMENT) {
      store32(comment, at + shift);
      comment += 4;
    }
  }
  store32(COUNTS + 8, (dump - DUMP_LINES) >> 2);
  store32(COUNTS + 12, (comment - COMMENT_LINES) >> 2);
  return 0;
}
