// Finds secrets in a view: one keyword pass, then each detector's pattern where its keyword stands. The work of a pattern is
// bounded by the detector's own quantifiers (no lookback) or by its window (lookback), whatever the text holds.
import crypto from 'node:crypto';
import type { InspectFinding, Tier } from '../core/index.ts';
import { keywordMatcher } from './aho-corasick.ts';
import type { Detector } from './detector.ts';
import { entropyOf } from './entropy.ts';
import type { View } from './view.ts';

export interface SecretScanner {
  scan(view: View): InspectFinding[];
}

export interface SecretScannerOptions {
  readonly detectors: readonly Detector[];
  /** True for values that the product itself made to stand for a secret. */
  isPlaceholder(value: string): boolean;
  fingerprint(value: string): string;
}

interface Match {
  readonly detector: Detector;
  readonly rank: number;
  readonly start: number;
  readonly end: number;
}

export function secretScanner({ detectors, isPlaceholder, fingerprint }: SecretScannerOptions): SecretScanner {
  const keywords: string[] = [];
  const users: { detector: Detector; rank: number; pattern: RegExp }[][] = [];
  detectors.forEach((detector, rank) => {
    const flags = new Set(`${detector.pattern.flags}d${detector.lookback === 0 ? 'y' : 'g'}`);
    const pattern = new RegExp(detector.pattern.source, [...flags].join(''));
    for (const keyword of detector.keywords) {
      const known = keywords.indexOf(keyword);
      const index = known === -1 ? keywords.push(keyword) - 1 : known;
      users[index] = [...(users[index] ?? []), { detector, rank, pattern }];
    }
  });
  const matcher = keywordMatcher(keywords, { ignoreCase: true });

  return {
    scan(view) {
      const matches: Match[] = [];
      matcher.scan(view.bytes, (keyword, start, end) => {
        for (const { detector, rank, pattern } of users[keyword] ?? []) {
          const span = detector.lookback === 0 ? matchAt(pattern, view.text, start) : matchAround(pattern, view.text, detector, start, end);
          if (span === undefined) continue;
          const value = view.text.slice(span[0], span[1]);
          if (detector.minEntropy > 0 && entropyOf(value) < detector.minEntropy) continue;
          if (!detector.verify(value) || isPlaceholder(value)) continue;
          matches.push({ detector, rank, start: span[0], end: span[1] });
        }
      });
      return strongest(matches).map((match) => findingOf(view, match, fingerprint));
    },
  };
}

type Range = readonly [start: number, end: number];

function valueOf(match: RegExpExecArray): Range {
  return match.indices?.groups?.['value'] ?? match.indices?.[0] ?? [match.index, match.index + match[0].length];
}

function matchAt(pattern: RegExp, text: string, start: number): Range | undefined {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  return match ? valueOf(match) : undefined;
}

/** The first match in the window around a keyword that covers it. The window begins one character early, for lookbehinds. */
function matchAround(pattern: RegExp, text: string, { lookback, reach }: Detector, start: number, end: number): Range | undefined {
  const offset = Math.max(0, start - lookback - 1);
  const window = text.slice(offset, start + reach);
  pattern.lastIndex = 0;
  for (let match = pattern.exec(window); match; match = pattern.exec(window)) {
    if (offset + match.index > start) return undefined;
    if (offset + match.index + match[0].length >= end) {
      const [from, to] = valueOf(match);
      return [offset + from, offset + to];
    }
    pattern.lastIndex = match.index + 1;
  }
  return undefined;
}

const tierRank: Readonly<Record<Tier, number>> = { block: 0, route: 1, count: 2 };

/** Of overlapping matches only the one of the strongest tier, and among those the first in the registry, is kept. */
function strongest(matches: readonly Match[]): Match[] {
  const ordered = matches.toSorted(
    (a, b) => tierRank[a.detector.tier] - tierRank[b.detector.tier] || a.rank - b.rank || b.end - b.start - (a.end - a.start),
  );
  const kept: Match[] = [];
  const taken: Match[] = [];
  for (const match of ordered) {
    if (overlapsAny(taken, match)) continue;
    insertByStart(taken, match);
    kept.push(match);
  }
  return kept.toSorted((a, b) => a.start - b.start);
}

/** `taken` is sorted and free of overlaps, so only the neighbours of the place can overlap. */
function overlapsAny(taken: readonly Match[], match: Match): boolean {
  const index = placeOf(taken, match.start);
  const before = taken[index - 1];
  const after = taken[index];
  return (before !== undefined && before.end > match.start) || (after !== undefined && after.start < match.end);
}

function insertByStart(taken: Match[], match: Match): void {
  taken.splice(placeOf(taken, match.start), 0, match);
}

function placeOf(taken: readonly Match[], start: number): number {
  let low = 0;
  let high = taken.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((taken[middle]?.start ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

function findingOf(view: View, { detector, start, end }: Match, fingerprint: (value: string) => string): InspectFinding {
  return {
    kind: detector.kind,
    tier: detector.tier,
    detector: detector.id,
    view: view.decodersOf(start, end),
    ...view.origin(start, end),
    redacted: redactedOf(detector.id, view.text.slice(start, end), fingerprint),
  };
}

export function redactedOf(kind: string, value: string, fingerprint: (value: string) => string): string {
  return `${kind}, ${value.length} characters, #${fingerprint(value)}`;
}

/** Short on purpose: enough to tell two secrets apart, too little to confirm a guess once the key is unknown. */
export function valueFingerprint(key: Uint8Array): (value: string) => string {
  return (value) => crypto.createHmac('sha256', key).update(value, 'latin1').digest('hex').slice(0, 8);
}
