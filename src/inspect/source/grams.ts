// From tokens to the hashes of the four channels: runs of 8 and of 12 words (E8, E12), whole lines (L), and runs of 40 tokens of
// structure in which an identifier is only the distance to its last use (S), so that renaming changes nothing.
import { NUMBER, type Tokens } from './lexer.ts';

export const channels = ['E8', 'E12', 'L', 'S'] as const;
export type Channel = (typeof channels)[number];

/** Hashes of one channel, as two independent 32-bit lanes, with the words each one covers. */
export interface Grams {
  readonly channel: Channel;
  a: Int32Array;
  b: Int32Array;
  /** First word covered. */
  word: Int32Array;
  /** Index of the first word, of the line, of the first token of structure. */
  at: Int32Array;
  count: number;
}

export const E8_WORDS = 8;
export const E12_WORDS = 12;
export const S_TOKENS = 36;
/** One in this many structure runs is used, chosen by its hash: both sides choose the same. */
const S_SAMPLE = 4;
/** An identifier's last use further back than this many tokens counts as none. */
const S_REACH = 12;

export function newGrams(channel: Channel): Grams {
  return { channel, a: new Int32Array(0), b: new Int32Array(0), word: new Int32Array(0), at: new Int32Array(0), count: 0 };
}

function grow(grams: Grams, length: number): void {
  if (grams.a.length >= length) return;
  const size = length + (length >> 2);
  grams.a = new Int32Array(size);
  grams.b = new Int32Array(size);
  grams.word = new Int32Array(size);
  grams.at = new Int32Array(size);
}

export function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b | 0);
  return h ^ (h >>> 16);
}

const BASE_A = 0x01000193;
const BASE_B = 0x2c1b3c6d;

function power(base: number, exponent: number): number {
  let out = 1;
  for (let i = 0; i < exponent; i++) out = Math.imul(out, base);
  return out;
}

/** Every run of `size` words: a polynomial in two bases over the words, rolled along. */
export function wordGrams(tokens: Tokens, size: number, out: Grams): Grams {
  const { words, wordCount } = tokens;
  grow(out, wordCount);
  const { a, b, word, at } = out;
  const leaveA = power(BASE_A, size);
  const leaveB = power(BASE_B, size);
  let hashA = 0;
  let hashB = 0;
  let count = 0;
  for (let i = 0; i < wordCount; i++) {
    const enter = words[i] ?? 0;
    const leave = i >= size ? (words[i - size] ?? 0) : 0;
    hashA = (Math.imul(hashA, BASE_A) + enter - Math.imul(leave, leaveA)) | 0;
    hashB = (Math.imul(hashB, BASE_B) + Math.imul(enter, 0x9e3779b1 | 0) - Math.imul(Math.imul(leave, 0x9e3779b1 | 0), leaveB)) | 0;
    if (i < size - 1) continue;
    a[count] = mix(hashA);
    b[count] = mix(hashB);
    word[count] = i - size + 1;
    at[count] = i - size + 1;
    count += 1;
  }
  out.count = count;
  return out;
}

export function lineGrams(tokens: Tokens, out: Grams): Grams {
  const { lineCount } = tokens;
  grow(out, lineCount);
  for (let i = 0; i < lineCount; i++) {
    out.a[i] = mix(tokens.lines[i] ?? 0);
    out.b[i] = mix(tokens.lines2[i] ?? 0);
    out.word[i] = tokens.lineWord[i] ?? 0;
    out.at[i] = i;
  }
  out.count = lineCount;
  return out;
}

/** Words that name the shape of a program rather than a thing in it. */
const keywords = (
  'if else elif elsif for foreach while do switch case default break continue return goto try catch except finally throw raise ' +
  'class struct enum interface trait impl type typedef union namespace module package import export from require use using include define ' +
  'function func fn def lambda let var const static final public private protected ' +
  'new delete this self super null nil none undefined true false void int long short char float double bool boolean byte string ' +
  'async await yield match when where with as is in of not and or pass del begin end then unless until mut ref pub crate mod ' +
  'dyn auto template typename operator sizeof typeof instanceof extends implements'
).split(' ');

const KEYWORD_SLOTS = 1024;
const keywordTable = new Int32Array(KEYWORD_SLOTS);
for (const keyword of keywords) {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < keyword.length; i++) hash = Math.imul(hash ^ keyword.charCodeAt(i), BASE_A);
  let slot = (hash >>> 7) % KEYWORD_SLOTS;
  while (keywordTable[slot] !== 0 && keywordTable[slot] !== hash) slot = (slot + 1) % KEYWORD_SLOTS;
  keywordTable[slot] = hash;
}

function isKeyword(hash: number): boolean {
  for (let slot = (hash >>> 7) % KEYWORD_SLOTS; ; slot = (slot + 1) % KEYWORD_SLOTS) {
    const held = keywordTable[slot] ?? 0;
    if (held === hash) return true;
    if (held === 0) return false;
  }
}

let shapes = new Int32Array(0);

/** What each token of structure is once every name is forgotten. */
function shapesOf(tokens: Tokens): Int32Array {
  const { structure, structureWord, structureCount, words } = tokens;
  if (shapes.length < structureCount) shapes = new Int32Array(structureCount + (structureCount >> 2));
  for (let i = 0; i < structureCount; i++) {
    const token = structure[i] ?? 0;
    if ((token < 0 && token > -256) || token === NUMBER) {
      shapes[i] = Math.imul(token, 0x9e3779b1 | 0) | 1;
      continue;
    }
    const word = words[structureWord[i] ?? 0] ?? 0;
    if (isKeyword(word)) {
      shapes[i] = Math.imul(word, 0x9e3779b1 | 0) | 1;
      continue;
    }
    let distance = 0;
    const from = i > S_REACH ? i - S_REACH : 0;
    for (let back = i - 1; back >= from; back--) {
      if (structure[back] === token) {
        distance = i - back;
        break;
      }
    }
    shapes[i] = Math.imul(distance + 17, 0x85ebca6b | 0) & ~1;
  }
  return shapes;
}

/** Runs of structure; with `all` unset only the sample. Runs that say next to nothing (tables of numbers) are left out. */
export function structureGrams(tokens: Tokens, out: Grams): Grams {
  const { structureCount, structureWord } = tokens;
  const shape = shapesOf(tokens);
  grow(out, structureCount);
  const leaveA = power(BASE_A, S_TOKENS);
  const leaveB = power(BASE_B, S_TOKENS);
  let hashA = 0;
  let hashB = 0;
  let count = 0;
  for (let i = 0; i < structureCount; i++) {
    const enter = shape[i] ?? 0;
    const leave = i >= S_TOKENS ? (shape[i - S_TOKENS] ?? 0) : 0;
    hashA = (Math.imul(hashA, BASE_A) + enter - Math.imul(leave, leaveA)) | 0;
    hashB = (Math.imul(hashB, BASE_B) + Math.imul(enter, 0x9e3779b1 | 0) - Math.imul(Math.imul(leave, 0x9e3779b1 | 0), leaveB)) | 0;
    if (i < S_TOKENS - 1) continue;
    const mixed = mix(hashA);
    if (mixed >>> 0 >= 0x1_0000_0000 / S_SAMPLE) continue;
    if (!isVaried(shape, i - S_TOKENS + 1, i + 1)) continue;
    out.a[count] = mixed;
    out.b[count] = mix(hashB);
    out.word[count] = structureWord[i - S_TOKENS + 1] ?? 0;
    out.at[count] = i - S_TOKENS + 1;
    count += 1;
  }
  out.count = count;
  return out;
}

const LEAST_VARIETY = 8;

/** Enough different shapes: a long list repeats few. Counted in 32 buckets, so never too high. */
function isVaried(shape: Int32Array, start: number, end: number): boolean {
  let buckets = 0;
  for (let i = start; i < end; i++) buckets |= 1 << (Math.imul(shape[i] ?? 0, 0x2c1b3c6d) >>> 27);
  let count = 0;
  for (let rest = buckets; rest !== 0; rest &= rest - 1) count += 1;
  return count >= LEAST_VARIETY;
}
