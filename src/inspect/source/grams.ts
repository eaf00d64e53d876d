// From tokens to the hashes of the four channels: runs of 8 and of 12 words (E8, E12), whole lines (L), and runs of 36 tokens of
// structure in which an identifier is only the distance to its last use (S), so that renaming changes nothing. Each hash has two
// lanes of 32 bits; the second is needed only where the first was seen before, so it is made on demand.
import { type Tokens, wordEnd } from './lexer.ts';
import { IMPORT, kindOf } from './vocabulary.ts';

export const channels = ['E8', 'E12', 'L', 'S'] as const;
export type Channel = (typeof channels)[number];

/** Hashes of one channel. */
export interface Grams {
  readonly channel: Channel;
  /** The first lane, before it is mixed. */
  a: Int32Array;
  /** Index of the first word, of the line, of the first token of structure. */
  at: Int32Array;
  count: number;
}

export const E8_WORDS = 8;
export const E12_WORDS = 12;
export const S_TOKENS = 36;
/** One in this many structure runs is used, chosen by its hash: both sides choose the same. */
const S_SAMPLE = 4;

export function newGrams(channel: Channel): Grams {
  return { channel, a: new Int32Array(0), at: new Int32Array(0), count: 0 };
}

function grow(grams: Grams, length: number): void {
  if (grams.a.length >= length) return;
  const size = length + (length >> 2);
  grams.a = new Int32Array(size);
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
const ENTER_B = 0x9e3779b1 | 0;

function power(base: number, exponent: number): number {
  let out = 1;
  for (let i = 0; i < exponent; i++) out = Math.imul(out, base);
  return out;
}

const leaving: Readonly<Record<number, number>> = Object.fromEntries([E8_WORDS, E12_WORDS, S_TOKENS].map((n) => [n, power(BASE_A, n)]));

/** Every run of `size` words: a polynomial over the words, rolled along. */
export function wordGrams(tokens: Tokens, size: typeof E8_WORDS | typeof E12_WORDS, out: Grams): Grams {
  const { words, wordCount } = tokens;
  grow(out, wordCount);
  const { a, at } = out;
  const leave = leaving[size] ?? 0;
  let hash = 0;
  for (let i = 0; i < Math.min(size - 1, wordCount); i++) hash = (Math.imul(hash, BASE_A) + (words[i] ?? 0)) | 0;
  let count = 0;
  for (let i = size - 1; i < wordCount; i++) {
    const left = i >= size ? (words[i - size] ?? 0) : 0;
    hash = (Math.imul(hash, BASE_A) + (words[i] ?? 0) - Math.imul(left, leave)) | 0;
    a[count] = hash;
    at[count] = count;
    count += 1;
  }
  out.count = count;
  return out;
}

export function lineGrams(tokens: Tokens, out: Grams): Grams {
  const { lineCount, lines } = tokens;
  grow(out, lineCount);
  const { a, at } = out;
  for (let i = 0; i < lineCount; i++) {
    a[i] = lines[i] ?? 0;
    at[i] = i;
  }
  out.count = lineCount;
  return out;
}

/** Runs of structure, of which only the sample. */
export function structureGrams(tokens: Tokens, out: Grams): Grams {
  const { shapes, shapeCount } = tokens;
  grow(out, shapeCount);
  const { a, at } = out;
  const leave = leaving[S_TOKENS] ?? 0;
  let hash = 0;
  for (let i = 0; i < Math.min(S_TOKENS - 1, shapeCount); i++) hash = (Math.imul(hash, BASE_A) + (shapes[i] ?? 0)) | 0;
  let count = 0;
  for (let i = S_TOKENS - 1; i < shapeCount; i++) {
    const left = i >= S_TOKENS ? (shapes[i - S_TOKENS] ?? 0) : 0;
    hash = (Math.imul(hash, BASE_A) + (shapes[i] ?? 0) - Math.imul(left, leave)) | 0;
    a[count] = hash;
    at[count] = i - S_TOKENS + 1;
    // Without a branch: whether a run is in the sample cannot be foretold.
    count += mix(hash) >>> 0 < 0x1_0000_0000 / S_SAMPLE ? 1 : 0;
  }
  out.count = count;
  return out;
}

/** The second lane of a hash, before it is mixed. */
export function secondLane(tokens: Tokens, channel: Channel, at: number): number {
  switch (channel) {
    case 'E8':
      return polynomial(tokens.words, at, at + E8_WORDS);
    case 'E12':
      return polynomial(tokens.words, at, at + E12_WORDS);
    case 'L':
      return tokens.lines2[at] ?? 0;
    default:
      return polynomial(tokens.shapes, at, at + S_TOKENS);
  }
}

function polynomial(values: Int32Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, BASE_B) + Math.imul(values[i] ?? 0, ENTER_B)) | 0;
  return hash;
}

/** A run of structure says something when it has enough different shapes; tables of numbers and long lists have few. */
export function saysSomething(tokens: Tokens, channel: Channel, at: number): boolean {
  return channel !== 'S' || isVaried(tokens.shapes, at, at + S_TOKENS);
}

/** Words of a language and names of a letter or two say nothing about who wrote them. */
const LEAST_OWN_WORDS = 4;
const LEAST_OWN_LETTERS = 3;

/**
 * Whether a run of words can say whose code it is, and not only which language it is in, which libraries it uses or which tool
 * shortened its names: it has enough different names in it, is no list of imports, and is not mostly single letters.
 */
export function saysWhose(bytes: Uint8Array, { words, wordStart }: Tokens, at: number, size: number): boolean {
  let imports = 0;
  let short = 0;
  let own = 0;
  for (let i = at; i < at + size; i++) {
    const word = words[i] ?? 0;
    const kind = kindOf(word);
    const start = wordStart[i] ?? 0;
    const length = wordEnd(bytes, start) - start;
    if ((kind & IMPORT) !== 0) imports += 1;
    if (length === 1) short += 1;
    if (kind === 0 && length >= LEAST_OWN_LETTERS && words.indexOf(word, at) === i) own += 1;
  }
  return imports < 2 && 2 * short < size && own >= LEAST_OWN_WORDS;
}

/** First word that a hash covers. */
export function firstWord(tokens: Tokens, channel: Channel, at: number): number {
  if (channel === 'L') return tokens.lineWord[at] ?? 0;
  return channel === 'S' ? (tokens.shapeWord[at] ?? 0) : at;
}

const LEAST_VARIETY = 8;

/** Counted in 32 buckets, so never too high. */
function isVaried(shapes: Int32Array, start: number, end: number): boolean {
  let buckets = 0;
  for (let i = start; i < end; i++) buckets |= 1 << (Math.imul(shapes[i] ?? 0, 0x2c1b3c6d) >>> 27);
  let count = 0;
  for (let rest = buckets; rest !== 0; rest &= rest - 1) count += 1;
  return count >= LEAST_VARIETY;
}
