// What of a file goes into the index: of each window of neighbouring hashes the smallest (winnowing, Schleimer, Wilkerson and
// Aiken, SIGMOD 2003), after public idioms are taken out; every line; every sampled run of structure.
import { type Background, notPublic } from './background.ts';
import { E8_WORDS, E12_WORDS, type Grams, lineGrams, mix, newGrams, structureGrams, wordGrams } from './grams.ts';
import type { Keyer, Keys } from './keyer.ts';
import { lex, newTokens } from './lexer.ts';

const E8_WINDOW = 4;
const E12_WINDOW = 8;

export interface Extractor {
  /** Keys of one file, and how many lines it has. */
  extract(bytes: Uint8Array): { readonly keys: Keys; readonly lines: number };
}

export function extractor({ keys }: Keyer, background: Background): Extractor {
  const tokens = newTokens();
  const e8 = newGrams('E8');
  const e12 = newGrams('E12');
  const lines = newGrams('L');
  const structure = newGrams('S');
  return {
    extract(bytes) {
      lex(bytes, tokens);
      const open = (grams: Grams) => notPublic(tokens, grams, background);
      wordGrams(tokens, E8_WORDS, e8);
      wordGrams(tokens, E12_WORDS, e12);
      lineGrams(tokens, lines);
      structureGrams(tokens, structure);
      const chosen: [Grams, Int32Array][] = [
        [e8, winnow(e8, open(e8), E8_WINDOW)],
        [e12, winnow(e12, open(e12), E12_WINDOW)],
        [lines, open(lines)],
        [structure, open(structure)],
      ];
      return { keys: distinct(chosen.map(([grams, picked]) => keys(tokens, grams, picked))), lines: linesIn(bytes) };
    },
  };
}

/** Of `open`, the smallest hash of every window of `window` neighbours, each once. A text shorter than a window still gives one. */
export function winnow({ a }: Grams, open: Int32Array, window: number): Int32Array {
  const picked = new Int32Array(open.length);
  const value = (i: number) => mix(a[open[i] ?? 0] ?? 0);
  let count = 0;
  let least = -1;
  let leastValue = 0;
  for (let end = 0; end < open.length; end++) {
    const entering = value(end);
    const start = end - window + 1;
    // The rightmost of equals, as the paper has it.
    if (least < 0 || entering <= leastValue) {
      least = end;
      leastValue = entering;
    } else if (least < start) {
      least = start;
      leastValue = value(start);
      for (let i = start + 1; i <= end; i++) {
        if (value(i) > leastValue) continue;
        least = i;
        leastValue = value(i);
      }
    }
    if (end + 1 < Math.min(window, open.length)) continue;
    if (count === 0 || picked[count - 1] !== open[least]) picked[count++] = open[least] ?? 0;
  }
  return picked.subarray(0, count);
}

function distinct(parts: readonly Keys[]): Keys {
  const total = parts.reduce((sum, part) => sum + part.high.length, 0);
  const mask = 2 ** Math.ceil(Math.log2(2 * total + 2)) - 1;
  /** Open addressing; 1 + position of the key. */
  const seen = new Int32Array(mask + 1);
  const high = new Uint32Array(total);
  const low = new Uint32Array(total);
  let count = 0;
  for (const part of parts) {
    for (let i = 0; i < part.high.length; i++) {
      const h = part.high[i] ?? 0;
      const l = part.low[i] ?? 0;
      let slot = h & mask;
      let held = seen[slot] ?? 0;
      while (held !== 0 && (high[held - 1] !== h || low[held - 1] !== l)) {
        slot = (slot + 1) & mask;
        held = seen[slot] ?? 0;
      }
      if (held !== 0) continue;
      high[count] = h;
      low[count] = l;
      count += 1;
      seen[slot] = count;
    }
  }
  return { high: high.slice(0, count), low: low.slice(0, count) };
}

function linesIn(bytes: Uint8Array): number {
  let lines = bytes.length > 0 && bytes[bytes.length - 1] !== 0x0a ? 1 : 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}
