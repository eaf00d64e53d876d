// GitHub's classic tokens end in six base62 characters of the CRC-32 of the thirty before them (GitHub, "Behind GitHub's new
// authentication token formats", 2021). So a genuine token can be told from a look-alike without asking anybody.
import zlib from 'node:zlib';
import { alphabets, fill } from './fill.ts';

const PREFIX = 4;
const PAYLOAD = 30;

export function githubChecksum(payload: string): string {
  let crc = zlib.crc32(payload);
  let digits = '';
  while (crc > 0) {
    digits = (alphabets.base62[crc % 62] ?? '') + digits;
    crc = Math.floor(crc / 62);
  }
  return digits.padStart(6, '0');
}

export function isGithubToken(token: string): boolean {
  return token.slice(PREFIX + PAYLOAD) === githubChecksum(token.slice(PREFIX, PREFIX + PAYLOAD));
}

/** A sample with a valid checksum that nobody was ever given. */
export function githubToken(prefix: string, seed: number): string {
  const payload = fill('base62', PAYLOAD, seed);
  return prefix + payload + githubChecksum(payload);
}
