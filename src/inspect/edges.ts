// Places that no encoded run passes, however it is joined over lines and texts: what stands there is in no alphabet, and around it
// are words of a language. Looked for in the bytes of JSON, where escapes are still escapes.
import { CONVINCING, commonShare } from './decode/common-words.ts';
import { hexDigit } from './decode/escapes.ts';
import { LEAST_PIECE } from './decode/pieces.ts';

/** How much around an edge has to be words. */
const EDGE = 512;
/** A word that is no hexadecimal, alone between blanks at the very edge. */
const LAST_WORD = / (?=[a-z]{0,23}[g-z])[a-z]{3,24}[.?!]?$/i;
const FIRST_WORD = /^(?=[a-z]{0,23}[g-z])[a-z]{3,24} /i;
const LONGEST_TOKEN = 27;

/**
 * Base64 ends a line in its alphabet, hexadecimal in a digit, lists of numbers in a digit or a separator, joined strings in a quote or an
 * operator, soft line breaks in `=`, escapes and entities in a digit, a letter or `;`. None ends in one of these.
 */
const isNoEnd = new Uint8Array(256);
for (const byte of Buffer.from('{}[]!?$^~')) isNoEnd[byte] = 1;

/** Places that are tried for a cut, and those of them around which all words are read: beyond that a look at the whole costs less. */
const MOST_PLACES = 4096;
const MOST_READ = 64;

/** What is left to try. */
export interface Tries {
  places: number;
  reads: number;
}

export function someTries(): Tries {
  return { places: MOST_PLACES, reads: MOST_READ };
}

export function areUsedUp({ places, reads }: Tries): boolean {
  return places <= 0 || reads <= 0;
}

/** True when nothing goes on behind `end`, a line break or a closing quote, of the text that begins at `start`. */
export function endsAll(bytes: Buffer, start: number, end: number, tries: Tries): boolean {
  tries.places -= 1;
  if (end - start < LONGEST_TOKEN) return false;
  const isEnd = isNoEnd[bytes[end - 1] ?? 0] === 1 || LAST_WORD.test(bytes.toString('latin1', end - LONGEST_TOKEN, end));
  if (!isEnd || !hasNeighbours(bytes, end)) return false;
  tries.reads -= 1;
  if (isDumpLine(bytes, start, end) || hasPiece(bytes, Math.max(0, end - EDGE), end)) return false;
  return (commonShare(bytes.subarray(Math.max(start, end - EDGE), end)) ?? 0) >= CONVINCING;
}

/** True when nothing comes into the text from what stands before it. */
export function beginsAnew(bytes: Buffer, start: number, end: number, tries: Tries): boolean {
  tries.places -= 1;
  if (!FIRST_WORD.test(bytes.toString('latin1', start, Math.min(end, start + LONGEST_TOKEN)))) return false;
  tries.reads -= 1;
  if (hasPiece(bytes, start, Math.min(bytes.length, start + EDGE))) return false;
  return (commonShare(bytes.subarray(start, Math.min(end, start + EDGE))) ?? 0) >= CONVINCING;
}

/** The ids of a protocol stand beside the talk, and are read apart from it (decode/json.ts). */
const ID = /[_"]id": ?"$/;

/** An encoding that was cut into pieces goes on over words (decode/pieces.ts): none may be as near as two of them can be. */
function hasPiece(bytes: Buffer, from: number, to: number): boolean {
  let start = from;
  let hasDigit = false;
  let hasLetter = false;
  for (let i = from; i <= to; i++) {
    const byte = i < to ? (bytes[i] ?? 0) : 0;
    const isDigit = byte >= 0x30 && byte <= 0x39;
    const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
    if (isDigit || isLetter || byte === 0x2b || byte === 0x2d || byte === 0x2f || byte === 0x5f) {
      hasDigit ||= isDigit;
      hasLetter ||= isLetter;
      continue;
    }
    if (i - start >= LEAST_PIECE && hasDigit && hasLetter && !ID.test(bytes.toString('latin1', Math.max(0, start - 8), start))) return true;
    start = i + 1;
    hasDigit = false;
    hasLetter = false;
  }
  return false;
}

/** Letters that are set apart have none. */
function hasNeighbours(bytes: Buffer, end: number): boolean {
  for (let i = end - LONGEST_TOKEN; i < end - 1; i++) if ((bytes[i] ?? 0) > 0x20 && (bytes[i + 1] ?? 0) > 0x20) return true;
  return false;
}

/** A line of a dump ends in whatever it shows. `\n` is a line break here. */
function isDumpLine(bytes: Buffer, start: number, end: number): boolean {
  let line = end;
  while (line > start && line > end - EDGE && !(bytes[line - 1] === 0x6e && bytes[line - 2] === 0x5c)) line -= 1;
  while (line < end && (bytes[line] ?? 0) <= 0x3e && hexDigit(bytes[line] ?? 0) < 0) line += 1;
  let digits = 0;
  while (digits < 4 && hexDigit(bytes[line + digits] ?? 0) >= 0) digits += 1;
  return digits === 4;
}
