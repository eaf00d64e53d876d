// Reads any text as code, whatever the language: words for the sequence of what is said, lines, and structure that survives the
// renaming of every identifier. Comments, line numbers, diff and quote marks, grep prefixes and escapes are left out, so that the
// same code gives the same tokens in a file, a prompt and a diff. The loop over the bytes is WebAssembly (kernel/lexer.kernel.ts): in one
// memory, with tables at fixed places, it takes half of the time. A fault in it is a trap, so an exception, so a refusal.
import { lexerCode } from '../kernel/lexer.code.ts';
import * as K from '../kernel/lexer.kernel.ts';
import { startKernel } from '../kernel/start.ts';
import { everyMeaning } from './vocabulary.ts';

/** What lies in the memory of a kernel, which grows and is used again; only the first `…Count` elements mean anything. */
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
  readonly kernel: Kernel;
}

interface Kernel {
  readonly memory: WebAssembly.Memory;
  lex(...values: number[]): number;
  /** Bytes of text that there is room for. */
  room: number;
  text: Uint8Array;
  counts: Int32Array;
}

export function newTokens(bytes = 1 << 16): Tokens {
  const { memory, lex: run } = startKernel<Pick<Kernel, 'memory' | 'lex'>>(lexerCode);
  new Uint8Array(memory.buffer).set(tables());
  const none = new Int32Array(0);
  const tokens: Tokens = {
    words: none,
    wordStart: none,
    wordCount: 0,
    lines: none,
    lines2: none,
    lineWord: none,
    lineStart: none,
    lineEnd: none,
    lineCount: 0,
    shapes: none,
    shapeWord: none,
    shapeCount: 0,
    blockEnd: none,
    blockWords: none,
    blockCommon: none,
    blockCount: 0,
    kernel: { memory, lex: run, room: -1, text: new Uint8Array(0), counts: none },
  };
  makeRoom(tokens, bytes);
  return tokens;
}

/** What the loop reads beside the text: in front of it to tell `://` from a comment, behind it to tell numbers of lines. */
const BEFORE = 2;
const BEHIND = 62;

/** Lays the arrays out for a text of so many bytes. */
function makeRoom(tokens: Tokens, bytes: number): void {
  const { kernel } = tokens;
  if (kernel.room >= bytes) return;
  const room = kernel.room < 0 ? bytes : bytes + (bytes >> 2);
  const words = (room >> 1) + 2;
  // A line has twelve letters at least.
  const lines = (room >> 3) + 2;
  const blocks = Math.ceil(room / K.BLOCK) + 2;
  const arrays = { words, wordStart: words, lines, lines2: lines, lineWord: lines, lineStart: lines, lineEnd: lines } as const;
  const more = { shapes: room + 2, shapeWord: room + 2, blockEnd: blocks, blockWords: blocks, blockCommon: blocks } as const;
  let at = (K.TEXT + room + BEHIND + 3) & ~3;
  const places = Object.entries({ ...arrays, ...more }).map(([name, length]) => {
    const place = { name, at, length };
    at += 4 * length;
    return place;
  });
  const missing = Math.ceil((at - kernel.memory.buffer.byteLength) / PAGE);
  if (missing > 0) kernel.memory.grow(missing);
  const { buffer } = kernel.memory;
  for (const place of places) Object.assign(tokens, { [place.name]: new Int32Array(buffer, place.at, place.length) });
  kernel.room = room;
  kernel.text = new Uint8Array(buffer, K.TEXT - BEFORE, BEFORE + room + BEHIND);
  kernel.counts = new Int32Array(buffer, K.COUNTS, 4);
}

const PAGE = 1 << 16;

/** Lexes bytes `from` to `to` into `tokens`, which is overwritten and returned. */
export function lex(bytes: Uint8Array, tokens: Tokens, from = 0, to = bytes.length): Tokens {
  const length = to - from;
  makeRoom(tokens, length);
  const { kernel } = tokens;
  const first = Math.max(0, from - BEFORE);
  const part = bytes.subarray(first, Math.min(bytes.length, to + BEHIND));
  const at = BEFORE - (from - first);
  // What is not there is zero, not what an earlier text left.
  kernel.text.fill(0, 0, at);
  kernel.text.set(part, at);
  kernel.text.fill(0, at + part.length, BEFORE + length + BEHIND);
  const place = (array: Int32Array) => array.byteOffset;
  kernel.lex(
    K.TEXT,
    K.TEXT + length,
    K.TEXT - from,
    place(tokens.words),
    tokens.words.byteLength,
    place(tokens.lines),
    tokens.lines.byteLength,
    place(tokens.shapes),
    tokens.shapes.byteLength,
    place(tokens.blockEnd),
    tokens.blockEnd.byteLength,
  );
  const [words = 0, lines = 0, shapes = 0, blocks = 0] = kernel.counts;
  tokens.wordCount = words;
  tokens.lineCount = lines;
  tokens.shapeCount = shapes;
  tokens.blockCount = blocks;
  return tokens;
}

const isWord = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_')) isWord[byte] = 1;

/** Where a word that starts at `start` ends. */
export function wordEnd(bytes: Uint8Array, start: number): number {
  let end = start;
  while (isWord[bytes[end] ?? 0] === 1) end += 1;
  return end;
}

let tablesOnce: Uint8Array | undefined;

/** What the kernel looks up; it changes nothing of it. */
function tables(): Uint8Array {
  if (tablesOnce) return tablesOnce;
  const memory = new Uint8Array(K.TEXT);
  const whole = new Int32Array(memory.buffer);
  const mark = (text: string, table: number, value: number) => {
    for (const byte of Buffer.from(text)) memory[table + byte] = value;
  };
  memory.fill(K.OTHER, K.CLASS, K.CLASS + 256);
  for (let byte = 0x21; byte < 0x7f; byte++) memory[K.CLASS + byte] = K.MARK;
  mark('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_', K.CLASS, K.LETTER);
  mark('0123456789', K.CLASS, K.DIGIT);
  mark('\n', K.CLASS, K.NEWLINE);
  mark('\r \t', K.CLASS, K.SPACE);
  mark('\\', K.CLASS, K.BACKSLASH);
  mark('"\'`,', K.CLASS, K.OTHER);
  memory.set(isWord, K.WORD);
  // Lower case; 0 for the underscore, so that snake_case equals camelCase.
  for (const byte of Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz')) mark(String.fromCharCode(byte).toUpperCase(), K.FOLD + 0, byte);
  for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyz')) memory[K.FOLD + byte] = byte;
  // What stands before the text of a line in diffs, quotes, listings.
  mark(' \t+->|:', K.LINE_NOISE, 1);
  // What may stand between a line number and the line.
  mark('\t :|)', K.ENDS_NUMBER, 1);
  memory[K.ENDS_NUMBER + 0xe2] = 1;
  mark('nrtbfv0"\'`/', K.ESCAPE_LETTER, 1);
  for (const [hash, kind] of everyMeaning()) {
    let slot = (hash >>> 7) & (K.SLOTS - 1);
    while (whole[K.MEANING_HASHES / 4 + slot] !== 0) slot = (slot + 1) & (K.SLOTS - 1);
    whole[K.MEANING_HASHES / 4 + slot] = hash;
    memory[K.MEANING_KINDS + slot] = kind;
  }
  // Odd for what has a meaning of its own, even for names.
  for (let byte = 0; byte < 256; byte++) whole[K.MARK_SHAPES / 4 + byte] = Math.imul(-1 - byte, K.SHAPE_MIX) | 1;
  for (let distance = 0; distance <= K.REACH; distance++)
    whole[K.NAME_SHAPES / 4 + distance] = Math.imul(distance + 17, 0x85ebca6b | 0) & ~1;
  tablesOnce = memory;
  return memory;
}
