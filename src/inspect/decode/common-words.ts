// Words that every text has some of: what reads well holds them, what is encoded or disguised does not.

/** Words that every page of code or English has some of. */
const common = new Set(
  (
    'the of and to in is it for on as with that this be are or not from if else return new const let var int void string ' +
    'function class def self import export public private static final while case break true false null none nil end then do ' +
    'type struct func fn pub use include define char unsigned long double float bool boolean get set add name value key id data ' +
    'list map file path error err test assert print println log len size length index item node ctx req res args out buf ptr ' +
    'param throws try catch throw async await yield use your you can will all an by at we may when'
  ).split(' '),
);

const LEAST_WORDS = 12;
const LONGEST = 10;
/** A text with so many of them among its words reads well. */
export const CONVINCING = 0.1;

/** By length, first and last letter: is there such a word? */
const ends = new Uint8Array((LONGEST + 1) << 10);

function endsOf(length: number, first: number, last: number): number {
  return (length << 10) | ((first & 31) << 5) | (last & 31);
}

const SLOTS = 2048;
const commonHashes = new Int32Array(SLOTS);
for (const word of common) {
  let hash = 0;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash, 31) + word.charCodeAt(i);
  let slot = hash & (SLOTS - 1);
  while (commonHashes[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
  commonHashes[slot] = hash;
  ends[endsOf(word.length, word.charCodeAt(0), word.charCodeAt(word.length - 1))] = 1;
}

function isCommon(hash: number): boolean {
  for (let slot = hash & (SLOTS - 1); commonHashes[slot] !== 0; slot = (slot + 1) & (SLOTS - 1))
    if (commonHashes[slot] === hash) return true;
  return false;
}

/**
 * Share of common words; `undefined` when there are too few words to tell. Letters beside digits are none: those of ids and digests make
 * short words in any rotation.
 */
export function commonShare(bytes: Uint8Array): number | undefined {
  let words = 0;
  let hits = 0;
  let hash = 0;
  let letters = 0;
  let hasDigits = false;
  for (let i = 0; i <= bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const letter = byte | 0x20;
    if (letter >= 0x61 && letter <= 0x7a) {
      hash = (Math.imul(hash, 31) + letter) | 0;
      letters += 1;
      continue;
    }
    if (byte >= 0x30 && byte <= 0x39) {
      hasDigits = true;
      continue;
    }
    if (letters >= 2 && !hasDigits) {
      words += 1;
      if (letters <= LONGEST && isCommon(hash)) hits += 1;
    }
    hash = 0;
    letters = 0;
    hasDigits = false;
  }
  return words < LEAST_WORDS ? undefined : hits / words;
}

/** The words of a text, found once for many ways to read it: neither rotation nor reversal changes where they stand. */
export interface Words {
  /** Of any length. */
  count: number;
  /** Those that are short enough to be common. */
  short: number;
  readonly start: Int32Array;
  readonly length: Int32Array;
}

export function newWords(bytes: number): Words {
  return { count: 0, short: 0, start: new Int32Array(bytes), length: new Int32Array(bytes) };
}

/** False when there are too few to tell. */
export function findWords(bytes: Uint8Array, words: Words): boolean {
  words.count = 0;
  words.short = 0;
  let letters = 0;
  let hasDigits = false;
  for (let i = 0; i <= bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const letter = byte | 0x20;
    if (letter >= 0x61 && letter <= 0x7a) letters += 1;
    else if (byte >= 0x30 && byte <= 0x39) hasDigits = true;
    else {
      if (letters >= 2 && !hasDigits) {
        words.count += 1;
        words.start[words.short] = i - letters;
        words.length[words.short] = letters;
        words.short += letters <= LONGEST ? 1 : 0;
      }
      letters = 0;
      hasDigits = false;
    }
  }
  return words.count >= LEAST_WORDS;
}

/** Does the text read well when each of its letters is what `letters` makes of it, and perhaps from its end? */
export function readsWellAs(bytes: Uint8Array, words: Words, letters: Uint8Array, isReversed: boolean): boolean {
  let hits = 0;
  for (let w = 0; w < words.short; w++) {
    const start = words.start[w] ?? 0;
    const length = words.length[w] ?? 0;
    const left = letters[bytes[start] ?? 0] ?? 0;
    const right = letters[bytes[start + length - 1] ?? 0] ?? 0;
    // Most words are told by their ends alone.
    if (ends[isReversed ? endsOf(length, right, left) : endsOf(length, left, right)] === 0) continue;
    let hash = 0;
    for (let i = 0; i < length; i++) {
      const at = isReversed ? start + length - 1 - i : start + i;
      hash = (Math.imul(hash, 31) + ((letters[bytes[at] ?? 0] ?? 0) | 0x20)) | 0;
    }
    if (isCommon(hash)) hits += 1;
  }
  return hits / words.count >= CONVINCING;
}
