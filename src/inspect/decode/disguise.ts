// Disguises that keep the text but not its look: letters rotated (ROT13 and every other Caesar shift), text or lines reversed,
// letters set apart by spaces. They are tried only where a part of the text has next to none of the words that any text has.
import type { Budget } from '../limits.ts';
import type { Blocks } from '../source/parts.ts';
import { runView, type Span, type View } from '../view.ts';
import type { TextDecoder } from './decoder.ts';

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

const SAMPLE = 800;
const LEAST_WORDS = 12;
/** So many words of two letters, and what stands between them. */
const LEAST_BYTES = 3 * LEAST_WORDS - 1;
const SUSPICIOUS = 0.04;
export const CONVINCING = 0.1;

export const disguise: TextDecoder = {
  id: 'disguise',
  *decode(view, budget) {
    // A guess is no encoding: where it would be one level too many it is not made, and refuses nothing.
    if (view.depth >= budget.limits.maxDepth) return;
    yield* despaced(view, budget);
    if (view.bytes.length < LEAST_BYTES) return;
    for (const block of suspiciousBlocks(view.blocks())) {
      for (const [id, plain] of guesses(view.bytes.subarray(block.start, block.end))) {
        budget.chargeView(plain.length);
        yield runView(view, id, Buffer.from(plain, 'latin1'), block);
      }
    }
  },
};

const SLOTS = 2048;
const commonHashes = new Int32Array(SLOTS);
for (const word of common) {
  let hash = 0;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash, 31) + word.charCodeAt(i);
  let slot = hash & (SLOTS - 1);
  while (commonHashes[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
  commonHashes[slot] = hash;
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
      if (letters <= 10 && isCommon(hash)) hits += 1;
    }
    hash = 0;
    letters = 0;
    hasDigits = false;
  }
  return words < LEAST_WORDS ? undefined : hits / words;
}

/** Neighbouring blocks without common words, joined, so that a disguised file is read in one piece. */
function suspiciousBlocks({ ends, words, common: usual }: Blocks): Span[] {
  const blocks: Span[] = [];
  let start = 0;
  for (const [i, end] of ends.entries()) {
    const count = words[i] ?? 0;
    if (count >= LEAST_WORDS && (usual[i] ?? 0) < SUSPICIOUS * count) {
      const last = blocks.at(-1);
      if (last && last.end === start) blocks[blocks.length - 1] = { start: last.start, end };
      else blocks.push({ start, end });
    }
    start = end;
  }
  return blocks;
}

/** The readings of a block that yield common words. */
function* guesses(block: Buffer): Generator<[string, string]> {
  const sample = block.subarray(0, SAMPLE);
  const shifts = likelyShifts(sample);
  for (const isReversed of [false, true]) {
    for (const shift of shifts) {
      const isConvincing = (commonShare(tried(sample, shift, isReversed)) ?? 0) >= CONVINCING;
      // What reads well as it stands is no disguise; guessed at all the same, each wrong reading would be guessed back.
      if (shift === 0 && !isReversed && isConvincing) return;
      if ((shift === 0 && !isReversed) || !isConvincing) continue;
      const id = [isReversed ? 'reversed' : '', shift === 0 ? '' : `rot${shift}`].filter(Boolean).join('-');
      const text = block.toString('latin1');
      yield [id, rotate(isReversed ? reverse(text) : text, shift)];
      // Lines may have been reversed one by one: then the order of the lines is already right.
      if (isReversed) {
        const lines = text.split('\n').map((line) => rotate(reverse(line), shift));
        yield [id, lines.join('\n')];
      }
      return;
    }
  }
}

const attempt = new Uint8Array(SAMPLE);

/** The sample as it would be, in memory that is used again: most guesses are wrong. */
function tried(sample: Uint8Array, shift: number, isReversed: boolean): Uint8Array {
  const { length } = sample;
  const letters = rotations[shift] ?? new Uint8Array(256);
  for (let i = 0; i < length; i++) attempt[isReversed ? length - 1 - i : i] = letters[sample[i] ?? 0] ?? 0;
  return attempt.subarray(0, length);
}

/** How often each letter comes in code and English, in parts of a thousand, a to z. */
const usual = [78, 17, 40, 40, 122, 24, 20, 35, 73, 3, 8, 42, 28, 70, 68, 28, 2, 66, 66, 92, 32, 11, 12, 5, 14, 2];
const MOST_SHIFTS = 3;

/** The rotations after which letters come about as often as usual, and none at all. */
function likelyShifts(sample: Uint8Array): number[] {
  const counts = new Int32Array(26);
  for (let i = 0; i < sample.length; i++) {
    const letter = ((sample[i] ?? 0) | 0x20) - 0x61;
    if (letter >= 0 && letter < 26) counts[letter] = (counts[letter] ?? 0) + 1;
  }
  const fits = Array.from({ length: 26 }, (_, shift) => {
    let fit = 0;
    for (let letter = 0; letter < 26; letter++) fit += (counts[letter] ?? 0) * (usual[(letter + shift) % 26] ?? 0);
    return { shift, fit };
  });
  const best = fits.toSorted((a, b) => b.fit - a.fit).slice(0, MOST_SHIFTS);
  return [...new Set([0, ...best.map(({ shift }) => shift)])];
}

/** By shift: what each byte becomes. */
const rotations = Array.from({ length: 26 }, (_, shift) =>
  Uint8Array.from({ length: 256 }, (_, byte) => {
    const base = byte >= 0x61 && byte <= 0x7a ? 0x61 : byte >= 0x41 && byte <= 0x5a ? 0x41 : 0;
    return base === 0 ? byte : base + ((byte - base + shift) % 26);
  }),
);

function reverse(text: string): string {
  return Buffer.from(text, 'latin1').reverse().toString('latin1');
}

function rotate(text: string, shift: number): string {
  const letters = rotations[shift] ?? new Uint8Array(256);
  const out = Buffer.from(text, 'latin1');
  for (let i = 0; i < out.length; i++) out[i] = letters[out[i] ?? 0] ?? 0;
  return out.toString('latin1');
}

/** Letters that must follow each other, each set apart by one space, before it is taken for a disguise. */
const LEAST_SPACED = 14;

/** A run is longer than this and the bytes looked at, so one of these places lies in it. */
const STEP = 2 * LEAST_SPACED - 6;

function* despaced(view: View, budget: Budget): Generator<View> {
  const { bytes } = view;
  for (let at = STEP; at < bytes.length; at += STEP) {
    const blank = blankOfThree(bytes, at);
    if (blank < 0) continue;
    let start = blank;
    while (start > 1 && bytes[start - 2] === SPACE && bytes[start - 1] !== NEWLINE) start -= 2;
    if (start === 0 || bytes[start - 1] === NEWLINE) start += 2;
    const end = endOfSpaced(bytes, start - 1);
    if (end === 0) continue;
    at = end;
    const text = bytes.toString('latin1', start - 1, end);
    const letters = text.match(/[A-Za-z0-9_] (?=[A-Za-z0-9_] )/g)?.length ?? 0;
    if (letters < LEAST_SPACED / 2) continue;
    const plain = Buffer.from(text.replace(/([^\n]) /g, '$1'), 'latin1');
    budget.chargeView(plain.length);
    yield runView(view, 'spaced', plain, { start: start - 1, end });
  }
}

const SPACE = 0x20;
const NEWLINE = 0x0a;

/** The first of three blanks that are every other byte from here on; -1 when they are not. */
function blankOfThree(bytes: Buffer, at: number): number {
  if (bytes[at] === SPACE && bytes[at + 2] === SPACE && bytes[at + 4] === SPACE) return at;
  return bytes[at + 1] === SPACE && bytes[at + 3] === SPACE && bytes[at + 5] === SPACE ? at + 1 : -1;
}

/** Where characters that are set apart end, over lines; 0 when the first line has too few. */
function endOfSpaced(bytes: Buffer, start: number): number {
  let end = overPairs(bytes, start);
  if (end - start < 2 * LEAST_SPACED) return 0;
  for (;;) {
    if (end < bytes.length && bytes[end] !== NEWLINE) end += 1;
    if (bytes[end] !== NEWLINE) return end;
    const from = end + 1;
    let next = overPairs(bytes, from);
    if (next === from && bytes[from] === SPACE) next = overPairs(bytes, from + 1);
    if (next <= from + 1) return end;
    end = next;
  }
}

/** Over pairs of a character and a blank. */
function overPairs(bytes: Buffer, from: number): number {
  let end = from;
  while (end + 1 < bytes.length && bytes[end] !== NEWLINE && bytes[end + 1] === SPACE) end += 2;
  return end;
}
