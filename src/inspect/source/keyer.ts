// From the hashes of source to the keys of the table. The mixing is keyed, so that two installations never share a key; it is no
// cipher, so wherever keys lie on a disk they are encrypted as a whole (sealed.ts).
import crypto from 'node:crypto';
import { type Channel, channels, type Grams, mix, secondLane } from './grams.ts';
import type { Tokens } from './lexer.ts';

/** `high` picks the slot of the table, `low` is what the slot holds. */
export interface Keys {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

export interface Keyer {
  /** What is mixed into the lanes of a channel. */
  readonly lanes: Readonly<Record<Channel, { readonly a: number; readonly b: number }>>;
  /** Keys of the chosen hashes, in their order. */
  keys(tokens: Tokens, grams: Grams, chosen: Int32Array): Keys;
}

export function keyer(secret: Uint8Array): Keyer {
  const material = Buffer.from(crypto.hkdfSync('sha256', secret, '', 'lanes', channels.length * 8));
  const lanes = Object.fromEntries(
    channels.map((channel, i) => [channel, { a: material.readInt32LE(i * 8), b: material.readInt32LE(i * 8 + 4) }]),
  ) as Record<Channel, { a: number; b: number }>;
  return {
    lanes,
    keys(tokens, { channel, a, at }, chosen) {
      const lane = lanes[channel];
      const high = new Uint32Array(chosen.length);
      const low = new Uint32Array(chosen.length);
      for (let i = 0; i < chosen.length; i++) {
        const index = chosen[i] ?? 0;
        high[i] = mix((a[index] ?? 0) ^ lane.a);
        low[i] = mix(secondLane(tokens, channel, at[index] ?? 0) ^ lane.b);
      }
      return { high, low };
    },
  };
}
