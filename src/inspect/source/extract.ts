// What of a file goes into the index: of each window of neighbouring hashes the smallest (winnowing, Schleimer, Wilkerson and
// Aiken, SIGMOD 2003), after public idioms are taken out; every line; every sampled run of structure.
import { type Background, notPublic } from './background.ts';
import { E8_WORDS, E12_WORDS, type Grams, lineGrams, newGrams, structureGrams, wordGrams } from './grams.ts';
import type { Keyer, Keys } from './keyer.ts';
import { lex, newTokens } from './lexer.ts';

const E8_WINDOW = 4;
const E12_WINDOW = 8;

export interface Extractor {
  /** Keys of one file, and how many lines it has. */
  extract(bytes: Uint8Array): { readonly keys: Keys; readonly lines: number };
}

export function extractor(key: Keyer, background: Background): Extractor {
  const tokens = newTokens();
  const e8 = newGrams('E8');
  const e12 = newGrams('E12');
  const lines = newGrams('L');
  const structure = newGrams('S');
  return {
    extract(bytes) {
      lex(bytes, tokens);
      const chosen: [Grams, Int32Array][] = [
        [e8, winnow(wordGrams(tokens, E8_WORDS, e8), background, E8_WINDOW)],
        [e12, winnow(wordGrams(tokens, E12_WORDS, e12), background, E12_WINDOW)],
        [lines, notPublic(lineGrams(tokens, lines), background)],
        [structure, notPublic(structureGrams(tokens, structure), background)],
      ];
      const keys = chosen.map(([grams, picked]) => key(grams, picked, picked.length));
      return { keys: distinct(keys), lines: linesIn(bytes) };
    },
  };
}

/** The smallest hash of every window of `window` neighbours, each once. A text shorter than a window still gives one. */
export function winnow(grams: Grams, background: Background, window: number): Int32Array {
  const open = notPublic(grams, background);
  const picked: number[] = [];
  let last = -1;
  for (let start = 0; start < Math.max(1, open.length - window + 1) && open.length > 0; start++) {
    let least = -1;
    for (let i = start; i < Math.min(open.length, start + window); i++) {
      const index = open[i] ?? 0;
      // The rightmost of equals, as the paper has it.
      if (least < 0 || (grams.a[index] ?? 0) <= (grams.a[least] ?? 0)) least = index;
    }
    if (least !== last) picked.push(least);
    last = least;
  }
  return Int32Array.from(picked);
}

function distinct(parts: readonly Keys[]): Keys {
  const seen = new Set<number>();
  const high: number[] = [];
  const low: number[] = [];
  for (const part of parts) {
    for (let i = 0; i < part.high.length; i++) {
      const h = part.high[i] ?? 0;
      const l = part.low[i] ?? 0;
      // 53 of the 64 bits tell the keys of one file apart.
      const both = h * 0x20_0000 + (l >>> 11);
      if (seen.has(both)) continue;
      seen.add(both);
      high.push(h);
      low.push(l);
    }
  }
  return { high: Uint32Array.from(high), low: Uint32Array.from(low) };
}

function linesIn(bytes: Uint8Array): number {
  let lines = bytes.length > 0 && bytes[bytes.length - 1] !== 0x0a ? 1 : 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}
