// What everybody's code has in common: a Bloom filter of hashes that occur in several unrelated public packages. Such idioms are
// never indexed, so they can never make public code look like ours. Made by scripts/background.ts; provenance lies beside it.
import { type Channel, type Grams, mix, saysSomething, secondLane } from './grams.ts';
import type { Tokens } from './lexer.ts';

const MAGIC = 0x31474249;
const HEADER_WORDS = 4;

export interface Background {
  /**
   * Of the first `count` hashes: 0 for most of what is not public, without the second lane, which costs more than the answer. All at once, because
   * the filter is larger than what the processor holds of it: nothing waits for one answer before it asks for the next.
   */
  mayHave(channel: Channel, a: Int32Array, count: number, answers: Uint8Array): void;
  has(channel: Channel, a: number, b: number): boolean;
}

export const noBackground: Background = { mayHave: (_channel, _a, count, answers) => void answers.fill(0, 0, count), has: () => false };

const salts: Readonly<Record<Channel, number>> = { E8: 0x1b873593, E12: 0x38b34ae5, L: 0x52dce729, S: 0x6a09e667 };

/** A filter for `keys` keys at `bits` bits each, empty. */
export function emptyFilter(keys: number, bits = 12): Uint32Array {
  const words = Math.max(1, Math.ceil((keys * bits) / 32));
  const memory = new Uint32Array(HEADER_WORDS + words);
  memory.set([MAGIC, words, 8, keys]);
  return memory;
}

export function addTo(filter: Uint32Array, channel: Channel, a: number, b: number): void {
  const bits = (filter[1] ?? 0) * 32;
  const step = stepOf(channel, b);
  let position = firstOf(channel, a);
  for (let i = 0; i < (filter[2] ?? 0); i++) {
    const bit = position % bits;
    const word = HEADER_WORDS + (bit >>> 5);
    filter[word] = (filter[word] ?? 0) | (1 << (bit & 31));
    position = (position + step) >>> 0;
  }
}

/** Throws a TypeError for what is no filter. */
export function openBackground(filter: Uint32Array): Background {
  if (filter[0] !== MAGIC || filter.length !== HEADER_WORDS + (filter[1] ?? 0)) throw new TypeError('this is not a background filter');
  const bits = (filter[1] ?? 0) * 32;
  const count = filter[2] ?? 0;
  const isSet = (position: number): boolean => {
    const bit = position % bits;
    return ((filter[HEADER_WORDS + (bit >>> 5)] ?? 0) & (1 << (bit & 31))) !== 0;
  };
  return {
    mayHave(channel, a, count, answers) {
      for (let i = 0; i < count; i++) {
        const bit = firstOf(channel, a[i] ?? 0) % bits;
        answers[i] = ((filter[HEADER_WORDS + (bit >>> 5)] ?? 0) >>> (bit & 31)) & 1;
      }
    },
    has(channel, a, b) {
      const step = stepOf(channel, b);
      let position = firstOf(channel, a);
      for (let i = 0; i < count; i++) {
        if (!isSet(position)) return false;
        position = (position + step) >>> 0;
      }
      return true;
    },
  };
}

/** Kirsch and Mitzenmacher: all positions from two hashes. */
function firstOf(channel: Channel, a: number): number {
  return (a ^ salts[channel]) >>> 0;
}

function stepOf(channel: Channel, b: number): number {
  return (mix(b ^ salts[channel]) | 1) >>> 0;
}

let mixed = new Int32Array(0);
let answers = new Uint8Array(0);

/** Positions of the hashes that say something and are not public. */
export function notPublic(tokens: Tokens, grams: Grams, background: Background): Int32Array {
  const { channel, a, at, count } = grams;
  if (mixed.length < count) {
    mixed = new Int32Array(2 * count);
    answers = new Uint8Array(2 * count);
  }
  for (let i = 0; i < count; i++) mixed[i] = mix(a[i] ?? 0);
  background.mayHave(channel, mixed, count, answers);
  const out = new Int32Array(count);
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const place = at[i] ?? 0;
    if (!saysSomething(tokens, channel, place)) continue;
    const isPublic = answers[i] === 1 && background.has(channel, mixed[i] ?? 0, mix(secondLane(tokens, channel, place)));
    if (!isPublic) out[kept++] = i;
  }
  return out.subarray(0, kept);
}
