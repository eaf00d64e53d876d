// Turns hashes of source into keys that say nothing without the company's secret: one AES-128 block each (FIPS 197). A stolen
// table then cannot confirm a guess. AES because the processor does it: a quarter of a million keys cost about a millisecond.
import crypto from 'node:crypto';
import type { Channel, Grams } from './grams.ts';

/** Keys in the order of the hashes: `high` picks the slot of the table, `low` is what the slot holds. */
export interface Keys {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

export type Keyer = (grams: Pick<Grams, 'channel' | 'a' | 'b'>, chosen: Int32Array | undefined, count: number) => Keys;

const BLOCK_WORDS = 4;

/** @param secret at least 16 bytes; the first 16 are used */
export function keyer(secret: Uint8Array): Keyer {
  const cipher = crypto.createCipheriv('aes-128-ecb', secret.subarray(0, 16), null).setAutoPadding(false);
  const codes: Readonly<Record<Channel, number>> = { E8: 1, E12: 2, L: 3, S: 4 };
  return (grams, chosen, count) => {
    const plain = new Uint32Array(count * BLOCK_WORDS);
    const code = codes[grams.channel];
    for (let i = 0; i < count; i++) {
      const index = chosen ? (chosen[i] ?? 0) : i;
      plain[i * BLOCK_WORDS] = grams.a[index] ?? 0;
      plain[i * BLOCK_WORDS + 1] = grams.b[index] ?? 0;
      plain[i * BLOCK_WORDS + 2] = code;
    }
    const secretBytes = cipher.update(new Uint8Array(plain.buffer));
    const aligned = secretBytes.byteOffset % 4 === 0 ? secretBytes : Uint8Array.from(secretBytes);
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, count * BLOCK_WORDS);
    const high = new Uint32Array(count);
    const low = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      high[i] = words[i * BLOCK_WORDS] ?? 0;
      low[i] = words[i * BLOCK_WORDS + 1] ?? 0;
    }
    return { high, low };
  };
}
