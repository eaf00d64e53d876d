// Reads any text as code, whatever the language: words for the sequence of what is said, lines, and structure that survives the
// renaming of every identifier. Comments, line numbers, diff and quote marks, grep prefixes and escapes are left out, so that the
// same code gives the same tokens in a file, a prompt and a diff.
import { COMMON, KEYWORD, kindOf, LONGEST_WORD, WORD_PRIME, WORD_SEED } from './vocabulary.ts';

/** Arrays that grow and are used again; only the first `…Count` elements mean anything. */
export interface Tokens {
  words: Int32Array;
  wordStart: Int32Array;
  wordCount: number;
  lines: Int32Array;
  /** Second hash of a line, independent of the first. */
  lines2: Int32Array;
  /** Index of the first word at or behind the line's start. */
  lineWord: Int32Array;
  lineStart: Int32Array;
  lineEnd: Int32Array;
  lineCount: number;
  /** Tokens of structure with every name forgotten: a mark, a number, a keyword, or how long ago the same name was used. */
  shapes: Int32Array;
  /** Index of the first word at or behind the token. */
  shapeWord: Int32Array;
  shapeCount: number;
  /** Stretches of some 256 bytes: where each ends, how many words it has, and how many of those are in every text. */
  blockEnd: Int32Array;
  blockWords: Int32Array;
  blockCommon: Int32Array;
  blockCount: number;
}

export function newTokens(bytes = 1 << 16): Tokens {
  const array = (length: number) => new Int32Array(length);
  const words = (bytes >> 1) + 2;
  const blocks = Math.ceil(bytes / BLOCK) + 2;
  return {
    words: array(words),
    wordStart: array(words),
    wordCount: 0,
    lines: array(words),
    lines2: array(words),
    lineWord: array(words),
    lineStart: array(words),
    lineEnd: array(words),
    lineCount: 0,
    shapes: array(bytes + 2),
    shapeWord: array(bytes + 2),
    shapeCount: 0,
    blockEnd: array(blocks),
    blockWords: array(blocks),
    blockCommon: array(blocks),
    blockCount: 0,
  };
}

const PRIME2 = 0x5bd1e995;
/** Longer digit runs are identifiers of something; shorter ones are line numbers and sizes. */
const LEAST_DIGITS = 5;
const LEAST_LINE_WORDS = 3;
const LEAST_LINE_LETTERS = 12;
/** A comment that never ends (code folded into one line) must not hide what follows. */
const LONGEST_LINE_COMMENT = 160;
const LONGEST_BLOCK_COMMENT = 4096;
/** A block ends with the first line that ends behind so many bytes, or within a line after twice as many. */
const BLOCK = 256;
/** `path/file.ts:12:` of a search tool is not longer. */
const LONGEST_GREP_PREFIX = 256;

const OTHER = 0;
const LETTER = 1;
const DIGIT = 2;
const NEWLINE = 3;
const SPACE = 4;
const BACKSLASH = 5;
const MARK = 6;
const QUOTE = 7;
const classOf = new Uint8Array(256);
/** Lower case; 0 for the underscore, so that snake_case equals camelCase. */
const fold = new Uint8Array(256);
const isWord = new Uint8Array(256);
for (let byte = 0x21; byte < 0x7f; byte++) classOf[byte] = MARK;
for (let byte = 0x30; byte <= 0x39; byte++) {
  classOf[byte] = DIGIT;
  fold[byte] = byte;
}
for (let byte = 0x61; byte <= 0x7a; byte++) {
  classOf[byte] = LETTER;
  classOf[byte - 0x20] = LETTER;
  fold[byte] = byte;
  fold[byte - 0x20] = byte;
}
classOf[0x5f] = LETTER;
for (let byte = 0; byte < 256; byte++) if (classOf[byte] === LETTER || classOf[byte] === DIGIT) isWord[byte] = 1;
classOf[0x0a] = NEWLINE;
classOf[0x0d] = SPACE;
classOf[0x20] = SPACE;
classOf[0x09] = SPACE;
classOf[0x5c] = BACKSLASH;
for (const quote of '"\'`,') classOf[quote.charCodeAt(0)] = QUOTE;

/** What stands before the text of a line in diffs, quotes, listings. */
const isLineNoise = new Uint8Array(256);
for (const mark of ' \t+->|:') isLineNoise[mark.charCodeAt(0)] = 1;
/** What may stand between a line number and the line. */
const endsLineNumber = new Uint8Array(256);
for (const mark of '\t :|)') endsLineNumber[mark.charCodeAt(0)] = 1;
endsLineNumber[0xe2] = 1;
const isEscapeLetter = new Uint8Array(256);
for (const letter of 'nrtbfv0"\'`/') isEscapeLetter[letter.charCodeAt(0)] = 1;

const SHAPE_MIX = 0x9e3779b1 | 0;
const NUMBER_SHAPE = Math.imul(-1000, SHAPE_MIX) | 1;
/** Odd for what has a meaning of its own, even for names. */
const markShapes = Int32Array.from({ length: 256 }, (_, byte) => Math.imul(-1 - byte, SHAPE_MIX) | 1);
/** A name's last use further back than this many tokens counts as none. */
const REACH = 12;
const nameShapes = Int32Array.from({ length: REACH + 1 }, (_, distance) => Math.imul(distance + 17, 0x85ebca6b | 0) & ~1);
const USES = 4096;
const usedName = new Int32Array(USES);
const usedAt = new Int32Array(USES);

/** Lexes bytes `from` to `to` into `tokens`, which is overwritten and returned. */
export function lex(bytes: Uint8Array, tokens: Tokens, from = 0, to = bytes.length): Tokens {
  if (tokens.shapes.length <= to - from + 1) Object.assign(tokens, newTokens(to - from + ((to - from) >> 2)));
  const { words, wordStart, lines, lines2, lineWord, lineStart, lineEnd, shapes, shapeWord } = tokens;
  const { blockEnd, blockWords, blockCommon } = tokens;
  usedAt.fill(-REACH - 1);
  let wordCount = 0;
  let lineCount = 0;
  let shapeCount = 0;

  let lineHash = WORD_SEED;
  let lineHash2 = 0;
  let lineWords = 0;
  let lineLetters = 0;
  let lineBegin = from;
  let lineFirstWord = 0;
  let lineHasSpace = false;
  let atLineStart = true;
  /** Words before this position belong to a comment: they count for the line only. */
  let quietUntil = 0;
  /** No block comment ends before this position: what was searched is not searched again. */
  let openUntil = 0;
  let blockBegin = from;
  let blockCount = 0;
  let spoken = 0;
  let usual = 0;

  for (let i = from; i <= to; ) {
    if (atLineStart) {
      atLineStart = false;
      i = lineText(bytes, i, to);
      lineHash = WORD_SEED;
      lineHash2 = 0;
      lineWords = 0;
      lineLetters = 0;
      lineBegin = i;
      lineFirstWord = wordCount;
      lineHasSpace = false;
      // ` * text` and `# text`: comment lines.
      const first = bytes[i];
      if ((first === 0x2a || first === 0x23) && bytes[i + 1] === 0x20) quietUntil = Math.max(quietUntil, endOfLine(bytes, i, to));
      if (i > to) break;
    }
    const byte = i < to ? (bytes[i] ?? 0) : 0x0a;
    const kind = classOf[byte] ?? 0;
    if (kind === LETTER || kind === DIGIT) {
      const start = i;
      let hash = WORD_SEED;
      let exact = WORD_SEED;
      let letters = kind === LETTER ? 1 : 0;
      let character = byte;
      do {
        const folded = fold[character] ?? 0;
        exact = Math.imul(exact ^ character, WORD_PRIME);
        if (folded !== 0) hash = Math.imul(hash ^ folded, WORD_PRIME);
        letters |= folded & 0x40;
        i += 1;
        // Behind the end stands nothing, or the beginning of what is no part of this text.
        character = i < to ? (bytes[i] ?? 0) : 0;
      } while (isWord[character] === 1);
      if (hash !== WORD_SEED && (letters !== 0 || i - start >= LEAST_DIGITS)) {
        const meaning = i - start <= LONGEST_WORD ? kindOf(hash) : 0;
        spoken += i - start > 1 ? 1 : 0;
        usual += meaning & COMMON;
        lineHash = Math.imul(lineHash ^ hash, PRIME2) + 1;
        lineHash ^= lineHash >>> 13;
        lineHash2 = Math.imul(lineHash2 + hash, 0x2c1b3c6d) ^ (lineHash2 >>> 15);
        lineWords += 1;
        lineLetters += i - start;
        if (start >= quietUntil) {
          if ((meaning & KEYWORD) !== 0) shapes[shapeCount] = Math.imul(hash, SHAPE_MIX) | 1;
          else {
            const use = (exact ^ (exact >>> 15)) & (USES - 1);
            const distance = usedName[use] === exact ? shapeCount - (usedAt[use] ?? 0) : 0;
            shapes[shapeCount] = nameShapes[distance <= REACH ? distance : 0] ?? 0;
            usedName[use] = exact;
            usedAt[use] = shapeCount;
          }
          shapeWord[shapeCount] = wordCount;
          shapeCount += 1;
          words[wordCount] = hash;
          wordStart[wordCount] = start;
          wordCount += 1;
        }
      } else if (start >= quietUntil) {
        shapes[shapeCount] = NUMBER_SHAPE;
        shapeWord[shapeCount] = wordCount;
        shapeCount += 1;
      }
      continue;
    }
    i += 1;
    switch (kind) {
      case NEWLINE:
        if (lineWords >= LEAST_LINE_WORDS && lineLetters >= LEAST_LINE_LETTERS) {
          lines[lineCount] = lineHash;
          lines2[lineCount] = lineHash2;
          lineWord[lineCount] = lineFirstWord;
          lineStart[lineCount] = lineBegin;
          lineEnd[lineCount] = i - 1;
          lineCount += 1;
        }
        atLineStart = true;
        break;
      case BACKSLASH:
        while (bytes[i] === 0x5c) i += 1;
        if (isEscapeLetter[bytes[i] ?? 0] === 1) i += 1;
        break;
      case MARK: {
        const next = i < to ? (bytes[i] ?? 0) : 0;
        if (byte === 0x2f && next === 0x2f && bytes[i - 2] !== 0x3a) {
          quietUntil = Math.max(quietUntil, endOfLine(bytes, i, Math.min(to, i + LONGEST_LINE_COMMENT)));
        } else if (byte === 0x2f && next === 0x2a) {
          const limit = Math.min(to, i + LONGEST_BLOCK_COMMENT);
          const end = endOfBlockComment(bytes, Math.max(i + 1, openUntil - 1), limit);
          if (end === 0) openUntil = limit;
          else quietUntil = Math.max(quietUntil, end);
        } else if (byte === 0x23 && next === 0x20 && lineHasSpace) {
          quietUntil = Math.max(quietUntil, endOfLine(bytes, i, Math.min(to, i + LONGEST_LINE_COMMENT)));
        }
        if (i - 1 >= quietUntil) {
          shapes[shapeCount] = markShapes[byte] ?? 0;
          shapeWord[shapeCount] = wordCount;
          shapeCount += 1;
        }
        break;
      }
      case SPACE:
        lineHasSpace = true;
        break;
      case QUOTE:
      case OTHER:
        break;
    }
    if (i - blockBegin >= BLOCK && (atLineStart || i - blockBegin >= 2 * BLOCK || i > to)) {
      blockEnd[blockCount] = Math.min(i, to);
      blockWords[blockCount] = spoken;
      blockCommon[blockCount] = usual / COMMON;
      blockCount += 1;
      blockBegin = i;
      spoken = 0;
      usual = 0;
    }
  }
  if (blockBegin < to) {
    blockEnd[blockCount] = to;
    blockWords[blockCount] = spoken;
    blockCommon[blockCount] = usual / COMMON;
    blockCount += 1;
  }
  tokens.wordCount = wordCount;
  tokens.lineCount = lineCount;
  tokens.shapeCount = shapeCount;
  tokens.blockCount = blockCount;
  return tokens;
}

/** Where a word that starts at `start` ends. */
export function wordEnd(bytes: Uint8Array, start: number): number {
  let end = start;
  while (isWord[bytes[end] ?? 0] === 1) end += 1;
  return end;
}

/** Behind what tools put before a line: marks, numbers, the path of a search. */
function lineText(bytes: Uint8Array, from: number, to: number): number {
  for (let i = skipLineNoise(bytes, from); ; ) {
    const end = endOfGrepPrefix(bytes, i, to);
    if (end === 0) return i;
    i = skipLineNoise(bytes, end);
  }
}

function skipLineNoise(bytes: Uint8Array, from: number): number {
  let i = from;
  for (;;) {
    const byte = bytes[i] ?? 0;
    if (isLineNoise[byte] === 1) {
      i += 1;
      continue;
    }
    if (classOf[byte] !== DIGIT) return i;
    let end = i + 1;
    while (classOf[bytes[end] ?? 0] === DIGIT && end < i + 7) end += 1;
    const mark = bytes[end] ?? 0;
    if (endsLineNumber[mark] !== 1) return i;
    // U+2192, an arrow, as some agents number lines.
    i = mark === 0xe2 ? end + 3 : end + 1;
  }
}

function endOfLine(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === 0x0a) return i;
  return to;
}

/** 0 when it ends nowhere before `to`. */
function endOfBlockComment(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i + 1 < to; i++) if (bytes[i] === 0x2a && bytes[i + 1] === 0x2f) return i + 2;
  return 0;
}

/** Behind `path:12:` or `path:12-` without a blank; 0 when that is not what stands here. */
function endOfGrepPrefix(bytes: Uint8Array, from: number, to: number): number {
  const limit = Math.min(to, from + LONGEST_GREP_PREFIX);
  for (let i = from; i < limit; i++) {
    const byte = bytes[i] ?? 0;
    if (byte <= 0x20) return 0;
    if (byte !== 0x3a || classOf[bytes[i + 1] ?? 0] !== DIGIT) continue;
    let end = i + 2;
    while (classOf[bytes[end] ?? 0] === DIGIT && end < i + 8) end += 1;
    if (bytes[end] === 0x3a || bytes[end] === 0x2d) return end + 1;
  }
  return 0;
}
