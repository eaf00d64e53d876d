// Disguises that keep the text but not its look: letters rotated (ROT13 and every other Caesar shift), text or lines reversed,
// letters set apart by spaces. They are tried only where a part of the text has next to none of the words that any text has.
import type { Budget } from '../limits.ts';
import type { Blocks } from '../source/parts.ts';
import { runView, type Span, type View } from '../view.ts';
import { findWords, newWords, readsWellAs } from './common-words.ts';
import type { Decoder } from './decoder.ts';
import { setApart } from './set-apart.ts';

const SAMPLE = 800;
const LEAST_WORDS = 12;
/** So many words of two letters, and what stands between them. */
const LEAST_BYTES = 3 * LEAST_WORDS - 1;
const SUSPICIOUS = 0.04;

export const disguise: Decoder = {
  id: 'disguise',
  *decode(view, budget, { apart }) {
    // A guess is no encoding: where it would be one level too many it is not made, and refuses nothing.
    if (view.depth + 1 > budget.limits.maxDepth) return;
    if (apart >= LEAST_SPACED / 2) yield* despaced(view, budget);
    yield* setApart(view, budget);
    if (view.bytes.length < LEAST_BYTES) return;
    for (const block of suspiciousBlocks(view.blocks())) {
      for (const [id, plain] of guesses(view.bytes.subarray(block.start, block.end))) {
        budget.chargeView(plain.length);
        yield runView(view, id, Buffer.from(plain, 'latin1'), block);
      }
    }
  },
};

/** Neighbouring blocks without common words, joined, so that a disguised file is read in one piece. */
function suspiciousBlocks({ ends, words, common: usual }: Blocks): Span[] {
  const blocks: Span[] = [];
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i] ?? 0;
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

const words = newWords(SAMPLE);
const noLetters = new Uint8Array(256);

/** The readings of a block that yield common words. */
function* guesses(block: Buffer): Generator<[string, string]> {
  const sample = block.subarray(0, SAMPLE);
  if (!findWords(sample, words)) return;
  const shifts = likelyShifts(sample);
  for (const isReversed of [false, true]) {
    for (const shift of shifts) {
      const isConvincing = readsWellAs(sample, words, rotations[shift] ?? noLetters, isReversed);
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

const share = [78, 17, 40, 40, 122, 24, 20, 35, 73, 3, 8, 42, 28, 70, 68, 28, 2, 66, 66, 92, 32, 11, 12, 5, 14, 2];
/** How often each letter comes in code and English, in parts of a thousand, a to z and again. */
const usual = Int32Array.from([...share, ...share]);
const counts = new Int32Array(26);
const fits = new Int32Array(26);
const MOST_SHIFTS = 3;

/** The rotations after which letters come about as often as usual, and none at all. */
function likelyShifts(sample: Uint8Array): number[] {
  counts.fill(0);
  for (let i = 0; i < sample.length; i++) {
    const letter = ((sample[i] ?? 0) | 0x20) - 0x61;
    if (letter >= 0 && letter < 26) counts[letter] = (counts[letter] ?? 0) + 1;
  }
  for (let shift = 0; shift < 26; shift++) {
    let fit = 0;
    for (let letter = 0; letter < 26; letter++) fit += (counts[letter] ?? 0) * (usual[letter + shift] ?? 0);
    fits[shift] = fit;
  }
  const shifts = [0];
  for (let n = 0; n < MOST_SHIFTS; n++) {
    let best = 0;
    for (let shift = 1; shift < 26; shift++) if ((fits[shift] ?? 0) > (fits[best] ?? 0)) best = shift;
    fits[best] = -1;
    if (best !== 0) shifts.push(best);
  }
  return shifts;
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
  const letters = rotations[shift] ?? noLetters;
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
