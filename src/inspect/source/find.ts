// Whose code is in this text: every hash of the text is looked up, and hits of one document that stand close together are weighed.
// Far apart they say nothing: a long prompt meets many documents by chance.
import type { Span } from '../view.ts';
import {
  type Channel,
  E8_WORDS,
  E12_WORDS,
  firstWord,
  type Grams,
  lineGrams,
  mix,
  newGrams,
  S_TOKENS,
  saysSomething,
  saysWhose,
  secondLane,
  structureGrams,
  wordGrams,
} from './grams.ts';
import { addHit, byDocument, channelOf, type Hits, newHits } from './hits.ts';
import type { FingerprintIndex } from './index-file.ts';
import { keyer } from './keyer.ts';
import { newTokens, type Tokens, wordEnd } from './lexer.ts';
import { type Blocks, lexInParts } from './parts.ts';
import { type Strength, strengthOf, type Tally } from './strength.ts';
import { bloomBits } from './table.ts';

export interface SourceMatch extends Strength {
  readonly document: number;
  readonly start: number;
  readonly end: number;
}

export interface SourceFinder {
  /** The hits of a text, valid until the next call; and, as a by-product, how much of each block is words of every text. */
  hits(bytes: Uint8Array): { readonly hits: Hits; readonly blocks: Blocks };
}

/** The words that one cluster may span. */
const CLUSTER_WORDS = 150;

export function sourceFinder({ table, secret }: FingerprintIndex): SourceFinder {
  const { lanes } = keyer(secret);
  const { bloom, bloomShift } = table;
  const tokens = newTokens();
  const scratch: Readonly<Record<Channel, Grams>> = { E8: newGrams('E8'), E12: newGrams('E12'), L: newGrams('L'), S: newGrams('S') };
  let scratch32 = scratchFor(1024);
  const out = newHits();

  /**
   * Keys that the filter of the table may hold: their positions in `passed`, their first halves in `high`. A loop that fetches words of the
   * filter does nothing else and no branch waits for one, so that the processor fetches dozens at a time; the filter is far larger than its caches.
   */
  function candidatesIn({ a, count }: Grams, laneA: number): number {
    if (scratch32.high.length < count) scratch32 = scratchFor(count + (count >> 1));
    const { high, words, passed } = scratch32;
    for (let i = 0; i < count; i++) high[i] = mix((a[i] ?? 0) ^ laneA);
    for (let i = 0; i < count; i++) words[i] = bloom[(high[i] ?? 0) >>> bloomShift] ?? 0;
    let candidates = 0;
    for (let i = 0; i < count; i++) {
      const key = high[i] ?? 0;
      const bits = bloomBits(key);
      passed[candidates] = i;
      high[candidates] = key;
      candidates += ((words[i] ?? 0) & bits) === bits ? 1 : 0;
    }
    return candidates;
  }

  function collect(bytes: Uint8Array, grams: Grams, wordsBefore: number): void {
    const { channel, at } = grams;
    const lane = lanes[channel];
    const candidates = candidatesIn(grams, lane.a);
    const { high, passed, words: low, documents } = scratch32;
    for (let c = 0; c < candidates; c++) low[c] = mix(secondLane(tokens, channel, at[passed[c] ?? 0] ?? 0) ^ lane.b);
    table.findAll(high, low, candidates, documents);
    for (let c = 0; c < candidates; c++) {
      const document = documents[c] ?? 0;
      const place = at[passed[c] ?? 0] ?? 0;
      if (document === 0 || !saysSomething(tokens, channel, place)) continue;
      // What blocks must be theirs beyond doubt; the shorter runs in it still count for the milder rules.
      if (channel === 'E12' && !saysWhose(bytes, tokens, place, E12_WORDS)) continue;
      addHit(
        out,
        channel,
        document,
        ((high[c] ?? 0) >>> 0) * 0x20_0000 + ((low[c] ?? 0) >>> 11),
        wordsBefore + firstWord(tokens, channel, place),
        startOf(tokens, channel, place),
        endOf(bytes, tokens, channel, place),
      );
    }
  }

  /** A run of twelve known words holds a run of eight that is known: only beside those is the longer one worth a look. */
  function longRuns(since: number, wordsBefore: number): Grams {
    const { words, wordCount } = tokens;
    const grams = scratch.E12;
    if (since === out.count) {
      grams.count = 0;
      return grams;
    }
    wordGrams(tokens, E12_WORDS, grams);
    const near = new Uint8Array(wordCount);
    for (let i = since; i < out.count; i++) {
      const word = (out.word[i] ?? 0) - wordsBefore;
      near.fill(1, Math.max(0, word - E12_WORDS), Math.min(words.length, word + E12_WORDS));
    }
    let count = 0;
    for (let i = 0; i < grams.count; i++) {
      if (near[i] !== 1) continue;
      grams.a[count] = grams.a[i] ?? 0;
      grams.at[count] = i;
      count += 1;
    }
    grams.count = count;
    return grams;
  }

  return {
    hits(bytes) {
      out.count = 0;
      let wordsBefore = 0;
      const blocks = lexInParts(bytes, tokens, () => {
        const since = out.count;
        collect(bytes, wordGrams(tokens, E8_WORDS, scratch.E8), wordsBefore);
        const long = longRuns(since, wordsBefore);
        collect(bytes, lineGrams(tokens, scratch.L), wordsBefore);
        collect(bytes, structureGrams(tokens, scratch.S), wordsBefore);
        collect(bytes, long, wordsBefore);
        wordsBefore += tokens.wordCount;
      });
      return { hits: out, blocks };
    },
  };
}

function scratchFor(count: number) {
  const array = () => new Int32Array(count);
  return { high: array(), words: array(), passed: array(), documents: array() };
}

function startOf(tokens: Tokens, channel: Channel, at: number): number {
  if (channel === 'L') return tokens.lineStart[at] ?? 0;
  return tokens.wordStart[firstWord(tokens, channel, at)] ?? 0;
}

function endOf(bytes: Uint8Array, tokens: Tokens, channel: Channel, at: number): number {
  if (channel === 'L') return tokens.lineEnd[at] ?? 0;
  const last = channel === 'S' ? (tokens.shapeWord[at + S_TOKENS - 1] ?? 0) : at + (channel === 'E8' ? E8_WORDS : E12_WORDS) - 1;
  return wordEnd(bytes, tokens.wordStart[Math.min(last, tokens.wordCount - 1)] ?? 0);
}

/** Clusters of hits of one document that satisfy a rule; of those that overlap the strongest. */
export function matchesIn(hits: Hits, isOwn: (document: number) => boolean): SourceMatch[] {
  const matches: SourceMatch[] = [];
  for (const [document, list] of byDocument(hits)) if (isOwn(document)) matches.push(...clusters(document, hits, list));
  return strongest(matches);
}

function clusters(document: number, hits: Hits, list: readonly number[]): SourceMatch[] {
  const matches: SourceMatch[] = [];
  const tally: Tally = { E8: 0, E12: 0, L: 0, S: 0 };
  const copies = new Map<number, number>();
  const { word, key } = hits;
  let first = 0;
  for (const [n, i] of list.entries()) {
    if (enter(copies, key[i] ?? 0)) tally[channelOf(hits, i)] += 1;
    for (let left = list[first] ?? i; (word[i] ?? 0) - (word[left] ?? 0) > CLUSTER_WORDS; left = list[++first] ?? i) {
      if (leave(copies, key[left] ?? 0)) tally[channelOf(hits, left)] -= 1;
    }
    const strength = strengthOf(tally);
    if (!strength) continue;
    const last = matches.at(-1);
    if (last && (hits.start[list[first] ?? i] ?? 0) < last.end) {
      const better = strength.score > last.score ? strength : last;
      const end = Math.max(last.end, hits.end[i] ?? 0);
      matches[matches.length - 1] = { ...better, document, start: last.start, end, tier: strongerTier(last, strength) };
    } else matches.push({ ...strength, document, ...spanOf(hits, list.slice(first, n + 1)) });
  }
  return matches;
}

function spanOf(hits: Hits, list: readonly number[]): Span {
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const i of list) {
    start = Math.min(start, hits.start[i] ?? 0);
    end = Math.max(end, hits.end[i] ?? 0);
  }
  return { start, end };
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
