// Reads any text as code, whatever the language: words for the sequence of what is said, lines, and structure that survives the
// renaming of every identifier. Comments, line numbers, diff and quote marks, grep prefixes and escapes are left out, so that the
// same code gives the same tokens in a file, a prompt and a diff.

/** Arrays that grow and are used again; only the first `…Count` elements mean anything. */
export interface Tokens {
  words: Int32Array;
  wordStart: Int32Array;
  wordEnd: Int32Array;
  wordCount: number;
  lines: Int32Array;
  /** Second hash of a line, independent of the first. */
  lines2: Int32Array;
  /** Index of the first word at or behind the line's start. */
  lineWord: Int32Array;
  lineStart: Int32Array;
  lineEnd: Int32Array;
  lineCount: number;
  /** Words as the hash of their exact spelling, punctuation as -1 - code, numbers as NUMBER. */
  structure: Int32Array;
  structureWord: Int32Array;
  structureStart: Int32Array;
  structureCount: number;
}

export function newTokens(bytes = 1 << 16): Tokens {
  const words = bytes >> 1;
  const array = (length: number) => new Int32Array(length);
  return {
    words: array(words),
    wordStart: array(words),
    wordEnd: array(words),
    wordCount: 0,
    lines: array(words),
    lines2: array(words),
    lineWord: array(words),
    lineStart: array(words),
    lineEnd: array(words),
    lineCount: 0,
    structure: array(bytes + 1),
    structureWord: array(bytes + 1),
    structureStart: array(bytes + 1),
    structureCount: 0,
  };
}

export const NUMBER = -1000;

const SEED = 0x811c9dc5 | 0;
const PRIME = 0x01000193;
const PRIME2 = 0x5bd1e995;
/** Longer digit runs are identifiers of something; shorter ones are line numbers and sizes. */
const LEAST_DIGITS = 5;
const LEAST_LINE_WORDS = 3;
const LEAST_LINE_LETTERS = 12;
/** A comment that never ends (code folded into one line) must not hide what follows. */
const LONGEST_LINE_COMMENT = 160;
const LONGEST_BLOCK_COMMENT = 4096;

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

/** Lexes into `tokens`, which is overwritten and returned. */
export function lex(bytes: Uint8Array, tokens: Tokens): Tokens {
  if (tokens.structure.length <= bytes.length) Object.assign(tokens, newTokens(bytes.length + (bytes.length >> 2)));
  const { words, wordStart, wordEnd, lines, lines2, lineWord, lineStart, lineEnd, structure, structureWord, structureStart } = tokens;
  const length = bytes.length;
  let wordCount = 0;
  let lineCount = 0;
  let structureCount = 0;

  let lineHash = SEED;
  let lineHash2 = 0;
  let lineWords = 0;
  let lineLetters = 0;
  let lineBegin = 0;
  let lineFirstWord = 0;
  let lineFirstStructure = 0;
  let lineHasSpace = false;
  let atLineStart = true;
  /** Words before this position belong to a comment: they count for the line only. */
  let quietUntil = 0;

  for (let i = 0; i <= length; ) {
    if (atLineStart) {
      atLineStart = false;
      i = skipLineNoise(bytes, i);
      lineHash = SEED;
      lineHash2 = 0;
      lineWords = 0;
      lineLetters = 0;
      lineBegin = i;
      lineFirstWord = wordCount;
      lineFirstStructure = structureCount;
      lineHasSpace = false;
      // ` * text` and `# text`: comment lines.
      const first = bytes[i];
      if ((first === 0x2a || first === 0x23) && bytes[i + 1] === 0x20) quietUntil = Math.max(quietUntil, endOfLine(bytes, i));
      if (i > length) break;
    }
    const byte = i < length ? (bytes[i] ?? 0) : 0x0a;
    const kind = classOf[byte] ?? 0;
    if (kind === LETTER || kind === DIGIT) {
      const start = i;
      let hash = SEED;
      let exact = SEED;
      let letters = kind === LETTER ? 1 : 0;
      do {
        const character = bytes[i] ?? 0;
        const folded = fold[character] ?? 0;
        exact = Math.imul(exact ^ character, PRIME);
        if (folded !== 0) hash = Math.imul(hash ^ folded, PRIME);
        if (folded > 0x39) letters = 1;
        i += 1;
      } while (i < length && ((classOf[bytes[i] ?? 0] ?? 0) - 1) >>> 0 < 2);
      const isNumber = letters === 0 && i - start < LEAST_DIGITS;
      if (!isNumber && hash !== SEED) {
        lineHash = Math.imul(lineHash ^ hash, PRIME2) + 1;
        lineHash ^= lineHash >>> 13;
        lineHash2 = Math.imul(lineHash2 + hash, 0x2c1b3c6d) ^ (lineHash2 >>> 15);
        lineWords += 1;
        lineLetters += i - start;
        if (start >= quietUntil) {
          words[wordCount] = hash;
          wordStart[wordCount] = start;
          wordEnd[wordCount] = i;
          structure[structureCount] = exact;
          structureWord[structureCount] = wordCount;
          structureStart[structureCount] = start;
          wordCount += 1;
          structureCount += 1;
        }
      } else if (start >= quietUntil) {
        structure[structureCount] = NUMBER;
        structureWord[structureCount] = wordCount;
        structureStart[structureCount] = start;
        structureCount += 1;
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
        const next = i < length ? (bytes[i] ?? 0) : 0;
        if (byte === 0x2f && next === 0x2f && bytes[i - 2] !== 0x3a) {
          quietUntil = Math.max(quietUntil, Math.min(endOfLine(bytes, i), i + LONGEST_LINE_COMMENT));
        } else if (byte === 0x2f && next === 0x2a) {
          quietUntil = Math.max(quietUntil, endOfBlockComment(bytes, i + 1));
        } else if (byte === 0x23 && next === 0x20 && lineHasSpace) {
          quietUntil = Math.max(quietUntil, Math.min(endOfLine(bytes, i), i + LONGEST_LINE_COMMENT));
        } else if (byte === 0x3a && !lineHasSpace && next >= 0x30 && next <= 0x39) {
          // `path/file.ts:12:` of a search tool: the line begins behind it.
          const end = endOfGrepPrefix(bytes, i);
          if (end > 0) {
            wordCount = lineFirstWord;
            structureCount = lineFirstStructure;
            i = end;
            atLineStart = true;
            break;
          }
        }
        if (i - 1 >= quietUntil) {
          structure[structureCount] = -1 - byte;
          structureWord[structureCount] = wordCount;
          structureStart[structureCount] = i - 1;
          structureCount += 1;
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
  }
  tokens.wordCount = wordCount;
  tokens.lineCount = lineCount;
  tokens.structureCount = structureCount;
  return tokens;
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

function endOfLine(bytes: Uint8Array, from: number): number {
  const found = bytes.indexOf(0x0a, from);
  return found === -1 ? bytes.length : found;
}

function endOfBlockComment(bytes: Uint8Array, from: number): number {
  const limit = Math.min(bytes.length, from + LONGEST_BLOCK_COMMENT);
  for (let i = from; i + 1 < limit; i++) if (bytes[i] === 0x2a && bytes[i + 1] === 0x2f) return i + 2;
  return from;
}

/** Behind `:12:` or `:12-`; 0 when that is not what follows. */
function endOfGrepPrefix(bytes: Uint8Array, from: number): number {
  let i = from;
  while (classOf[bytes[i] ?? 0] === DIGIT && i < from + 7) i += 1;
  return bytes[i] === 0x3a || bytes[i] === 0x2d ? i + 1 : 0;
}
