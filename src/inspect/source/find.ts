// Whose code is in this text: every hash of the text is looked up, and hits of one document that stand close together are weighed.
// Far apart they say nothing: a long prompt meets many documents by chance.
import { assertNever } from '../../core/index.ts';
import type { Span } from '../view.ts';
import { type Channel, E8_WORDS, E12_WORDS, type Grams, lineGrams, newGrams, S_TOKENS, structureGrams, wordGrams } from './grams.ts';
import type { FingerprintIndex } from './index-file.ts';
import { keyer } from './keyer.ts';
import { lex, newTokens, type Tokens } from './lexer.ts';
import { type Strength, strengthOf, type Tally } from './strength.ts';

export interface Hit {
  readonly channel: Channel;
  readonly document: number;
  /** Tells keys apart, within one index. */
  readonly key: number;
  /** First word covered. */
  readonly word: number;
  readonly start: number;
  readonly end: number;
}

export interface SourceMatch extends Strength {
  readonly document: number;
  readonly start: number;
  readonly end: number;
}

export interface SourceFinder {
  /** Hits in order of their place. */
  hits(bytes: Uint8Array): Hit[];
}

/** The words that one cluster may span. */
const CLUSTER_WORDS = 150;

export function sourceFinder(index: FingerprintIndex): SourceFinder {
  const key = keyer(index.secret);
  const tokens = newTokens();
  const scratch: Readonly<Record<Channel, Grams>> = { E8: newGrams('E8'), E12: newGrams('E12'), L: newGrams('L'), S: newGrams('S') };

  function collect(grams: Grams, chosen: Int32Array | undefined, out: Hit[]): void {
    const count = chosen ? chosen.length : grams.count;
    const keys = key(grams, chosen, count);
    index.table.findAll(keys, count, (i, document) => {
      const position = chosen ? (chosen[i] ?? 0) : i;
      out.push({
        channel: grams.channel,
        document,
        key: (keys.high[i] ?? 0) * 0x20_0000 + ((keys.low[i] ?? 0) >>> 11),
        word: grams.word[position] ?? 0,
        ...spanOf(tokens, grams.channel, grams.at[position] ?? 0),
      });
    });
  }

  return {
    hits(bytes) {
      const out: Hit[] = [];
      lex(bytes, tokens);
      collect(wordGrams(tokens, E8_WORDS, scratch.E8), undefined, out);
      // A run of twelve known words holds a run of eight that is known: only beside those is the longer one worth a look.
      const near = wordsNear(out, tokens.wordCount);
      collect(lineGrams(tokens, scratch.L), undefined, out);
      collect(structureGrams(tokens, scratch.S), undefined, out);
      if (near) collect(scratch.E12, chosenNear(wordGrams(tokens, E12_WORDS, scratch.E12), near), out);
      return out.sort((a, b) => a.word - b.word);
    },
  };
}

function spanOf(tokens: Tokens, channel: Channel, at: number): { start: number; end: number } {
  switch (channel) {
    case 'E8':
      return { start: tokens.wordStart[at] ?? 0, end: tokens.wordEnd[at + E8_WORDS - 1] ?? 0 };
    case 'E12':
      return { start: tokens.wordStart[at] ?? 0, end: tokens.wordEnd[at + E12_WORDS - 1] ?? 0 };
    case 'L':
      return { start: tokens.lineStart[at] ?? 0, end: tokens.lineEnd[at] ?? 0 };
    case 'S':
      return { start: tokens.structureStart[at] ?? 0, end: (tokens.structureStart[at + S_TOKENS - 1] ?? 0) + 1 };
    default:
      return assertNever(channel);
  }
}

function wordsNear(hits: readonly Hit[], wordCount: number): Uint8Array | undefined {
  if (hits.length === 0) return undefined;
  const near = new Uint8Array(wordCount);
  for (const { word } of hits) near.fill(1, Math.max(0, word - E12_WORDS), word + E12_WORDS);
  return near;
}

function chosenNear(grams: Grams, near: Uint8Array): Int32Array {
  const out = new Int32Array(grams.count);
  let count = 0;
  for (let i = 0; i < grams.count; i++) if (near[grams.word[i] ?? 0] === 1) out[count++] = i;
  return out.subarray(0, count);
}

/** Clusters of hits of one document that satisfy a rule; of those that overlap the strongest. */
export function matchesIn(hits: readonly Hit[]): SourceMatch[] {
  const byDocument = new Map<number, Hit[]>();
  for (const hit of hits) {
    const list = byDocument.get(hit.document);
    if (list) list.push(hit);
    else byDocument.set(hit.document, [hit]);
  }
  const matches = [...byDocument].flatMap(([document, list]) => clusters(document, list));
  return strongest(matches);
}

function clusters(document: number, hits: readonly Hit[]): SourceMatch[] {
  const matches: SourceMatch[] = [];
  const tally: Tally = { E8: 0, E12: 0, L: 0, S: 0 };
  const copies = new Map<number, number>();
  let first = 0;
  for (const [i, hit] of hits.entries()) {
    if (enter(copies, hit.key)) tally[hit.channel] += 1;
    for (let left = hits[first]; left && hit.word - left.word > CLUSTER_WORDS; left = hits[++first]) {
      if (leave(copies, left.key)) tally[left.channel] -= 1;
    }
    const strength = strengthOf(tally);
    if (!strength) continue;
    let start = hit.start;
    let end = hit.end;
    for (let j = first; j <= i; j++) {
      start = Math.min(start, hits[j]?.start ?? start);
      end = Math.max(end, hits[j]?.end ?? end);
    }
    const last = matches.at(-1);
    if (last && start < last.end) {
      const better = strength.score > last.score ? strength : last;
      matches[matches.length - 1] = {
        ...better,
        document,
        start: last.start,
        end: Math.max(last.end, end),
        tier: strongerTier(last, strength),
      };
    } else matches.push({ ...strength, document, start, end });
  }
  return matches;
}

function enter(copies: Map<number, number>, key: number): boolean {
  const held = copies.get(key) ?? 0;
  copies.set(key, held + 1);
  return held === 0;
}

function leave(copies: Map<number, number>, key: number): boolean {
  const held = copies.get(key) ?? 0;
  if (held > 1) copies.set(key, held - 1);
  else copies.delete(key);
  return held === 1;
}

const tierOrder = { block: 0, route: 1, count: 2 } as const;

function strongerTier(a: Strength, b: Strength): Strength['tier'] {
  return tierOrder[a.tier] <= tierOrder[b.tier] ? a.tier : b.tier;
}

/** Documents share idioms, so one place may match several: the strongest names it. */
function strongest(matches: readonly SourceMatch[]): SourceMatch[] {
  const kept: SourceMatch[] = [];
  const ordered = matches.toSorted((a, b) => tierOrder[a.tier] - tierOrder[b.tier] || b.score - a.score);
  for (const match of ordered) {
    if (kept.length >= MOST_MATCHES) break;
    if (!kept.some((other) => isMostlySame(match, other))) kept.push(match);
  }
  return kept.toSorted((a, b) => a.start - b.start);
}

/** More than half of the shorter lies in the other. */
export function isMostlySame(a: Span, b: Span): boolean {
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return 2 * shared > Math.min(a.end - a.start, b.end - b.start) || (a.start === b.start && a.end === b.end);
}

const MOST_MATCHES = 200;
