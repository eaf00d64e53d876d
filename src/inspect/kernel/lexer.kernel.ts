// The inner loop of the lexer, written so that it can be compiled to WebAssembly (see testdata/compiler.ts): whole numbers of 32 bits, and
// one memory. What it makes of a text is described in source/lexer.ts, which fills the tables and reads what is written here.
import { load8, load32, store32 } from './memory.ts';

/** Tables of a byte for each byte: its class, its fold, whether it is part of a word, and so on. */
export const CLASS = 0;
export const FOLD = 256;
export const WORD = 512;
export const LINE_NOISE = 768;
export const ENDS_NUMBER = 1024;
export const ESCAPE_LETTER = 1280;
/** Words with a meaning of their own: hashes and kinds, open addressing. */
export const SLOTS = 1024;
export const MEANING_KINDS = 2048;
export const MEANING_HASHES = 4096;
/** Shapes of marks by byte, and of names by how long ago they were used. */
export const MARK_SHAPES = 8192;
export const NAME_SHAPES = 9216;
/** Where results are reported: how many words, lines, shapes and blocks. */
export const COUNTS = 9344;
/** Where the last text ended, so that what it left below tells that it is too long ago. */
export const EARLIER = 9360;
export const MOST_EARLIER = 1 << 30;
/** Names that were used, and where: pairs. */
export const USES = 4096;
export const USED = 16384;
/** The text, with what stands before it and behind it. */
export const TEXT = 65536;

/** What words are made of comes first. */
export const LETTER = 1;
export const DIGIT = 2;
export const NEWLINE = 3;
export const SPACE = 4;
export const BACKSLASH = 5;
export const MARK = 6;
export const OTHER = 7;

export const WORD_SEED = -2128831035;
const WORD_PRIME = 0x01000193;
const LINE_PRIME = 0x5bd1e995;
const LINE_PRIME2 = 0x2c1b3c6d;
export const SHAPE_MIX = -1640531535;
export const NUMBER_SHAPE = -145972071;
/** A name's last use further back than this many tokens counts as none. */
export const REACH = 12;
const REACH_BYTES = 4 * REACH;

const KEYWORD = 1;
const COMMON = 2;
export const LONGEST_WORD = 16;
/** Longer digit runs are identifiers of something; shorter ones are line numbers and sizes. */
const LEAST_DIGITS = 5;
const LEAST_LINE_WORDS = 3;
const LEAST_LINE_LETTERS = 12;
/** A comment that never ends (code folded into one line) must not hide what follows. */
const LONGEST_LINE_COMMENT = 160;
const LONGEST_BLOCK_COMMENT = 4096;
/** A block ends with the first line that ends behind so many bytes, or within a line after twice as many. */
export const BLOCK = 256;
const LONGEST_BLOCK = 2 * BLOCK;
/** `path/file.ts:12:` of a search tool is not longer. */
const LONGEST_GREP_PREFIX = 256;

function endOfLine(from: number, to: number): number {
  let i = from;
  while (i < to && load8(i) !== 0x0a) i += 1;
  return i < to ? i : to;
}

/** 0 when it ends nowhere before `to`. */
function endOfBlockComment(from: number, to: number): number {
  for (let i = from; i + 1 < to; i += 1) {
    if (load8(i) === 0x2a && load8(i + 1) === 0x2f) return i + 2;
  }
  return 0;
}

function isDigit(at: number): number {
  return load8(CLASS + load8(at)) === DIGIT ? 1 : 0;
}

/** Over marks and line numbers before the text of a line. */
function overNoise(from: number): number {
  let i = from;
  for (;;) {
    const byte = load8(i);
    if (load8(LINE_NOISE + byte)) {
      i += 1;
      continue;
    }
    if (load8(CLASS + byte) !== DIGIT) break;
    let end = i + 1;
    while (end < i + 7 && isDigit(end)) end += 1;
    const mark = load8(end);
    if (load8(ENDS_NUMBER + mark) === 0) break;
    // U+2192, an arrow, as some agents number lines.
    i = mark === 0xe2 ? end + 3 : end + 1;
  }
  return i;
}

/** Behind `path:12:` or `path:12-` without a blank; 0 when that is not what stands here. */
function endOfGrepPrefix(from: number, to: number): number {
  const limit = from + LONGEST_GREP_PREFIX < to ? from + LONGEST_GREP_PREFIX : to;
  for (let i = from; i < limit; i += 1) {
    const byte = load8(i);
    if (byte <= 0x20) return 0;
    if (byte !== 0x3a || isDigit(i + 1) === 0) continue;
    let end = i + 2;
    while (end < i + 8 && isDigit(end)) end += 1;
    const mark = load8(end);
    if (mark === 0x3a || mark === 0x2d) return end + 1;
  }
  return 0;
}

/** Behind what tools put before a line: marks, numbers, the path of a search. */
function lineText(from: number, to: number): number {
  let i = overNoise(from);
  let end = endOfGrepPrefix(i, to);
  while (end !== 0) {
    i = overNoise(end);
    end = endOfGrepPrefix(i, to);
  }
  return i;
}

/**
 * Lexes the memory from `from` to `to`. What is found goes to the arrays at the given places; positions are those of the memory less `shift`.
 */
export function lex(
  from: number,
  to: number,
  shift: number,
  words: number,
  wordSize: number,
  lines: number,
  lineSize: number,
  shapes: number,
  shapeSize: number,
  blocks: number,
  blockSize: number,
): number {
  // Emptying the table would take longer than most texts.
  let earlier = load32(EARLIER);
  if (earlier > MOST_EARLIER) {
    earlier = 0;
    for (let i = 0; i < USES; i += 1) store32(USED + (i << 3) + 4, 0);
  }
  let word = words;
  let line = lines;
  let shape = shapes;
  let block = blocks;

  let lineHash = WORD_SEED;
  let lineHash2 = 0;
  let lineWords = 0;
  let lineLetters = 0;
  let lineBegin = from;
  let lineFirstWord = 0;
  let lineHasSpace = 0;
  let atLineStart = 1;
  /** Words before this position belong to a comment: they count for the line only. */
  let quietUntil = 0;
  /** No block comment ends before this position: what was searched is not searched again. */
  let openUntil = 0;
  let blockBegin = from;
  let spoken = 0;
  let usual = 0;

  let i = from;
  while (i <= to) {
    if (atLineStart) {
      atLineStart = 0;
      i = lineText(i, to);
      lineHash = WORD_SEED;
      lineHash2 = 0;
      lineWords = 0;
      lineLetters = 0;
      lineBegin = i;
      lineFirstWord = (word - words) >> 2;
      lineHasSpace = 0;
      // ` * text` and `# text`: comment lines.
      const first = load8(i);
      if ((first === 0x2a || first === 0x23) && load8(i + 1) === 0x20) {
        const end = endOfLine(i, to);
        if (end > quietUntil) quietUntil = end;
      }
      if (i > to) break;
    }
    const byte = i < to ? load8(i) : 0x0a;
    const kind = load8(CLASS + byte);
    if (kind <= DIGIT) {
      const start = i;
      let hash = WORD_SEED;
      let exact = WORD_SEED;
      let letters = kind === LETTER ? 1 : 0;
      let character = byte;
      do {
        const folded = load8(FOLD + character);
        exact = Math.imul(exact ^ character, WORD_PRIME);
        // Without a branch: where underscores stand cannot be foretold.
        const folding = Math.imul(hash ^ folded, WORD_PRIME);
        hash = folded ? folding : hash;
        letters |= folded & 0x40;
        i += 1;
        // Behind the end stands nothing, or the beginning of what is no part of this text.
        character = i < to ? load8(i) : 0;
      } while (load8(WORD + character));
      if (hash !== WORD_SEED && (letters !== 0 || i - start >= LEAST_DIGITS)) {
        let meaning = 0;
        if (i - start <= LONGEST_WORD) {
          let slot = (hash >>> 7) & (SLOTS - 1);
          let held = load32(MEANING_HASHES + (slot << 2));
          while (held !== 0 && held !== hash) {
            slot = (slot + 1) & (SLOTS - 1);
            held = load32(MEANING_HASHES + (slot << 2));
          }
          // An empty slot has no kind.
          meaning = load8(MEANING_KINDS + slot);
        }
        if (i - start > 1) spoken += 1;
        usual += meaning & COMMON;
        lineHash = (Math.imul(lineHash ^ hash, LINE_PRIME) + 1) | 0;
        lineHash ^= lineHash >>> 13;
        lineHash2 = Math.imul((lineHash2 + hash) | 0, LINE_PRIME2) ^ (lineHash2 >>> 15);
        lineWords += 1;
        lineLetters += i - start;
        if (start >= quietUntil) {
          if (meaning & KEYWORD) store32(shape, Math.imul(hash, SHAPE_MIX) | 1);
          else {
            const use = USED + (((exact ^ (exact >>> 15)) & (USES - 1)) << 3);
            const distance = load32(use) === exact ? shape + earlier - load32(use + 4) : 0;
            store32(shape, load32(NAME_SHAPES + (distance <= REACH_BYTES ? distance : 0)));
            store32(use, exact);
            store32(use + 4, shape + earlier);
          }
          store32(shape + shapeSize, (word - words) >> 2);
          shape += 4;
          store32(word, hash);
          store32(word + wordSize, start - shift);
          word += 4;
        }
      } else if (start >= quietUntil) {
        store32(shape, NUMBER_SHAPE);
        store32(shape + shapeSize, (word - words) >> 2);
        shape += 4;
      }
      continue;
    }
    i += 1;
    if (kind === SPACE) lineHasSpace = 1;
    else if (kind === MARK) {
      const next = i < to ? load8(i) : 0;
      if (byte === 0x2f && next === 0x2f && load8(i - 2) !== 0x3a) {
        const end = endOfLine(i, i + LONGEST_LINE_COMMENT < to ? i + LONGEST_LINE_COMMENT : to);
        if (end > quietUntil) quietUntil = end;
      } else if (byte === 0x2f && next === 0x2a) {
        const limit = i + LONGEST_BLOCK_COMMENT < to ? i + LONGEST_BLOCK_COMMENT : to;
        const end = endOfBlockComment(i + 1 > openUntil - 1 ? i + 1 : openUntil - 1, limit);
        if (end === 0) openUntil = limit;
        else if (end > quietUntil) quietUntil = end;
      } else if (byte === 0x23 && next === 0x20 && lineHasSpace) {
        const end = endOfLine(i, i + LONGEST_LINE_COMMENT < to ? i + LONGEST_LINE_COMMENT : to);
        if (end > quietUntil) quietUntil = end;
      }
      if (i - 1 >= quietUntil) {
        store32(shape, load32(MARK_SHAPES + (byte << 2)));
        store32(shape + shapeSize, (word - words) >> 2);
        shape += 4;
      }
    } else if (kind === NEWLINE) {
      if (lineWords >= LEAST_LINE_WORDS && lineLetters >= LEAST_LINE_LETTERS) {
        store32(line, lineHash);
        store32(line + lineSize, lineHash2);
        store32(line + (lineSize << 1), lineFirstWord);
        store32(line + (lineSize << 1) + lineSize, lineBegin - shift);
        store32(line + (lineSize << 2), i - 1 - shift);
        line += 4;
      }
      atLineStart = 1;
    } else if (kind === BACKSLASH) {
      while (load8(i) === 0x5c) i += 1;
      if (load8(ESCAPE_LETTER + load8(i))) i += 1;
    }
    if (i - blockBegin >= BLOCK && (atLineStart || i - blockBegin >= LONGEST_BLOCK || i > to)) {
      store32(block, (i < to ? i : to) - shift);
      store32(block + blockSize, spoken);
      store32(block + (blockSize << 1), usual >> 1);
      block += 4;
      blockBegin = i;
      spoken = 0;
      usual = 0;
    }
  }
  if (blockBegin < to) {
    store32(block, to - shift);
    store32(block + blockSize, spoken);
    store32(block + (blockSize << 1), usual >> 1);
    block += 4;
  }
  store32(EARLIER, earlier + shape - shapes + REACH_BYTES + 4);
  store32(COUNTS, (word - words) >> 2);
  store32(COUNTS + 4, (line - lines) >> 2);
  store32(COUNTS + 8, (shape - shapes) >> 2);
  store32(COUNTS + 12, (block - blocks) >> 2);
  return 0;
}
