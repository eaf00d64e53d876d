// What stands for a secret in a prompt that leaves: a name that a model can copy, made of the session and the secret, so that the
// same conversation is the same bytes each time it is sent. Nothing is remembered here: what a placeholder stands for is known to the
// call that holds it, and to nobody else.
import crypto from 'node:crypto';
import { product } from '../core/index.ts';
import { type Detector, detector } from './detector.ts';

const prefix = `${product.name}_secret_`;
/** 80 bits that follow from session and secret, and 50 that only this process can make. */
const idLength = 16;
const tagLength = 10;

export const secretPlaceholderPattern = new RegExp(`${prefix}[a-z2-7]{${idLength + tagLength}}`, 'g');

/** Length of the longest end of `text` that could still become a placeholder. */
export function openPlaceholderAt(text: string): number {
  const longest = prefix.length + idLength + tagLength - 1;
  for (let start = Math.max(0, text.length - longest); start < text.length; start++) {
    const end = text.slice(start);
    if (end.length <= prefix.length ? prefix.startsWith(end) : end.startsWith(prefix) && /^[a-z2-7]*$/.test(end.slice(prefix.length)))
      return end.length;
  }
  return 0;
}

export interface SecretPlaceholders {
  of(session: string, value: string): string;
  /**
   * Was this whole text made here, for whatever session? INVARIANT: the tag is compared; what only has the form could be a secret
   * written into it.
   */
  isOurs(text: string): boolean;
}

/** @param key of this process: without it a placeholder tells nothing of the secret, not even to somebody who guesses it */
export function createSecretPlaceholders(key: Uint8Array = crypto.randomBytes(32)): SecretPlaceholders {
  const mac = (...parts: readonly string[]): string => {
    const hash = crypto.createHmac('sha256', key);
    for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`);
    return base32(hash.digest());
  };
  return {
    of(session, value) {
      const id = mac('secret', session, value).slice(0, idLength);
      return prefix + id + mac('tag', id).slice(0, tagLength);
    },
    isOurs(text) {
      if (text.length !== prefix.length + idLength + tagLength || !text.startsWith(prefix)) return false;
      const id = text.slice(prefix.length, prefix.length + idLength);
      return mac('tag', id).slice(0, tagLength) === text.slice(-tagLength);
    },
  };
}

/** The alphabet of RFC 4648, section 6, in lower case. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31];
  }
  return text;
}

/** In a prompt it is a word like any other, so it counts and labels nothing; on its way to any other host it is a refusal (monitor). */
export const secretPlaceholder: Detector = detector({
  id: 'secret-placeholder',
  label: 'secret',
  tier: 'count',
  keywords: [prefix],
  pattern: new RegExp(secretPlaceholderPattern.source),
  hits: [`${prefix}abcdefghijklmnopqrstuvwxyz`, `export KEY="${prefix}${'a2'.repeat(13)}"`],
  misses: [`${prefix}short`, `${prefix}${'A'.repeat(26)}`, `${prefix}${'1'.repeat(26)}`],
});
