// Samples for detectors: made, never real, and never written out whole, so that no scanner takes this repository for a leak.

export const alphabets = {
  digits: '0123456789',
  hex: '0123456789abcdef',
  hexUpper: '0123456789ABCDEF',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  lower36: 'abcdefghijklmnopqrstuvwxyz0123456789',
  upper36: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  base62: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  bech32: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
} as const;

/** `length` characters that look random and are the same each time. */
export function fill(alphabet: keyof typeof alphabets, length: number, seed = 1): string {
  const characters = alphabets[alphabet];
  let state = (seed * 0x9e3779b9) >>> 0;
  let out = '';
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    out += characters[(state >>> 8) % characters.length] ?? '';
  }
  return out;
}

export function uuid(seed = 1): string {
  return [8, 4, 4, 4, 12].map((length, part) => fill('hex', length, seed * 8 + part)).join('-');
}
