// Finds secrets in a view: one keyword pass, then each detector's pattern in a window around its keyword. The work of a pattern is
// bounded by its window, whatever the text holds.
import crypto from 'node:crypto';
import type { InspectFinding, Tier } from '../core/index.ts';
import { keywordMatcher } from './aho-corasick.ts';
import type { Detector } from './detector.ts';
import { entropyOf } from './entropy.ts';
import { secretPlaceholder } from './secret-placeholder.ts';
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
  const users: User[][] = [];
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
  const reaches = users.map((list) => Math.max(...list.map(({ detector }) => detector.reach)));

  return {
    scan(view) {
      const matches: Match[] = [];
      const windows = windowsOf(view.bytes);
      matcher.scan(view.bytes, (keyword, start, end) => {
        const near = windows(start - 1, start + (reaches[keyword] ?? 0));
        for (const { detector, rank, pattern } of users[keyword] ?? []) {
          const { lookback, reach } = detector;
          const window = lookback === 0 ? near : windows(start - lookback - 1, start + reach);
          const span = lookback === 0 ? matchAt(pattern, window, start) : matchAround(pattern, window, start - lookback - 1, start, end);
          if (span === undefined) continue;
          const value = view.bytes.toString('latin1', span[0], span[1]);
          if (detector.minEntropy > 0 && entropyOf(value) < detector.minEntropy) continue;
          if (!detector.verify(value) || (isPlaceholder(value) && detector !== secretPlaceholder)) continue;
          matches.push({ detector, rank, start: span[0], end: span[1] });
        }
      });
      return matches.length === 0 ? [] : strongest(matches).map((match) => findingOf(view, match, fingerprint));
    },
  };
}

/** A stretch of a text, and where in the text it begins. */
interface Window {
  readonly text: string;
  readonly offset: number;
}

/** Hits that stand close together share a window, so that what is copied stays in proportion to the text. */
const SHARED = 4096;

function windowsOf(bytes: Buffer): (from: number, to: number) => Window {
  let last: Window = { text: '', offset: 0 };
  return (from, to) => {
    const start = Math.max(0, from);
    const end = Math.min(bytes.length, to + 1);
    if (start >= last.offset && end <= last.offset + last.text.length) return last;
    // The first window is small: most texts have few hits.
    const further = start < last.offset + last.text.length + SHARED && last.text.length > 0 ? SHARED : 0;
    last = { text: bytes.toString('latin1', start, Math.min(bytes.length, end + further)), offset: start };
    return last;
  };
}

interface User {
  readonly detector: Detector;
  readonly rank: number;
  readonly pattern: RegExp;
}

type Range = readonly [start: number, end: number];

function valueOf(match: RegExpExecArray, offset: number): Range {
  const [start, end] = match.indices?.groups?.['value'] ?? match.indices?.[0] ?? [match.index, match.index + match[0].length];
  return [offset + start, offset + end];
}

function matchAt(pattern: RegExp, { text, offset }: Window, start: number): Range | undefined {
  pattern.lastIndex = start - offset;
  const match = pattern.exec(text);
  return match ? valueOf(match, offset) : undefined;
}

/** The first match from `from` on that covers the keyword at `start` to `end`. */
function matchAround(pattern: RegExp, { text, offset }: Window, from: number, start: number, end: number): Range | undefined {
  pattern.lastIndex = Math.max(0, from - offset);
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (offset + match.index > start) return undefined;
    if (offset + match.index + match[0].length >= end) return valueOf(match, offset);
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
    redacted: redactedOf(detector.id, view.bytes.toString('latin1', start, end), fingerprint),
  };
}

export function redactedOf(kind: string, value: string, fingerprint: (value: string) => string): string {
  return `${kind}, ${value.length} characters, #${fingerprint(value)}`;
}

/** Short on purpose: enough to tell two secrets apart, too little to confirm a guess once the key is unknown. */
export function valueFingerprint(key: Uint8Array): (value: string) => string {
  return (value) => crypto.createHmac('sha256', key).update(value, 'latin1').digest('hex').slice(0, 8);
}
