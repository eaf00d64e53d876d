// A long text is lexed part by part: the arrays stay in the processor's cache, and a body of a hundred megabytes needs no more memory
// than one of a hundred kilobytes. Parts overlap, so that no run of tokens is cut.
import { lex, newTokens, type Tokens } from './lexer.ts';

const PART = 64 << 10;
const OVERLAP = 1 << 10;

/** Stretches of a text with the share of their words that are in every text. */
export interface Blocks {
  readonly ends: readonly number[];
  readonly words: readonly number[];
  readonly common: readonly number[];
}

/** Calls back after each part, while `tokens` hold it. */
export function lexInParts(bytes: Uint8Array, tokens: Tokens, onPart: () => void): Blocks {
  const ends: number[] = [];
  const words: number[] = [];
  const common: number[] = [];
  let known = 0;
  for (let from = 0; ; ) {
    const to = bytes.length - from <= PART + OVERLAP ? bytes.length : lineBreakBefore(bytes, from + PART);
    lex(bytes, tokens, from, to);
    for (let i = 0; i < tokens.blockCount; i++) {
      const end = tokens.blockEnd[i] ?? 0;
      if (end <= known) continue;
      ends.push(end);
      words.push(tokens.blockWords[i] ?? 0);
      common.push(tokens.blockCommon[i] ?? 0);
      known = end;
    }
    onPart();
    if (to === bytes.length) return { ends, words, common };
    from = lineBreakBefore(bytes, to - OVERLAP);
  }
}

let scratch: Tokens | undefined;

export function blocksOf(bytes: Uint8Array): Blocks {
  scratch ??= newTokens();
  return lexInParts(bytes, scratch, () => {});
}

/** Behind the last line break that stands not far before `position`; else `position` itself. */
function lineBreakBefore(bytes: Uint8Array, position: number): number {
  for (let i = position; i > position - OVERLAP; i--) if (bytes[i - 1] === 0x0a) return i;
  return position;
}
