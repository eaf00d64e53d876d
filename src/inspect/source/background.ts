// What everybody's code has in common: a Bloom filter of hashes that occur in several unrelated public packages. Such idioms are
// never indexed, so they can never make public code look like ours. Made by scripts/background.ts; provenance lies beside it.
import { type Channel, type Grams, mix, saysSomething, secondLane } from './grams.ts';
import type { Tokens } from './lexer.ts';

const MAGIC = 0x31474249;
const HEADER_WORDS = 4;

export interface Background {
  has(channel: Channel, a: number, b: number): boolean;
}

export const noBackground: Background = { has: () => false };

const salts: Readonly<Record<Channel, number>> = { E8: 0x1b873593, E12: 0x38b34ae5, L: 0x52dce729, S: 0x6a09e667 };

/** A filter for `keys` keys at `bits` bits each, empty. */
export function emptyFilter(keys: number, bits = 12): Uint32Array {
  const words = Math.max(1, Math.ceil((keys * bits) / 32));
  const memory = new Uint32Array(HEADER_WORDS + words);
  memory.set([MAGIC, words, 8, keys]);
  return memory;
}

export function addTo(filter: Uint32Array, channel: Channel, a: number, b: number): void {
  eachBit(filter, channel, a, b, (word, bit) => {
    filter[word] = (filter[word] ?? 0) | bit;
    return true;
  });
}

/** Throws a TypeError for what is no filter. */
export function openBackground(filter: Uint32Array): Background {
  if (filter[0] !== MAGIC || filter.length !== HEADER_WORDS + (filter[1] ?? 0)) throw new TypeError('this is not a background filter');
  return { has: (channel, a, b) => eachBit(filter, channel, a, b, (word, bit) => ((filter[word] ?? 0) & bit) !== 0) };
}

/** Kirsch and Mitzenmacher: all positions from two hashes. Stops at the first `false`. */
function eachBit(filter: Uint32Array, channel: Channel, a: number, b: number, visit: (word: number, bit: number) => boolean): boolean {
  const bits = (filter[1] ?? 0) * 32;
  const count = filter[2] ?? 0;
  let position = (a ^ salts[channel]) >>> 0;
  const step = (mix(b ^ salts[channel]) | 1) >>> 0;
  for (let i = 0; i < count; i++) {
    const bit = position % bits;
    if (!visit(HEADER_WORDS + (bit >>> 5), 1 << (bit & 31))) return false;
    position = (position + step) >>> 0;
  }
  return true;
}

/** Positions of the hashes that say something and are not public. */
export function notPublic(tokens: Tokens, grams: Grams, background: Background): Int32Array {
  const { channel, a, at } = grams;
  const out = new Int32Array(grams.count);
  let count = 0;
  for (let i = 0; i < grams.count; i++) {
    const place = at[i] ?? 0;
    if (!saysSomething(tokens, channel, place)) continue;
    if (!background.has(channel, mix(a[i] ?? 0), mix(secondLane(tokens, channel, place)))) out[count++] = i;
  }
  return out.subarray(0, count);
}
