import { describe, expect, it } from 'vitest';
import { IntramurError } from '../../core/index.ts';
import type { Detector } from '../detector.ts';
import { budgetFor, defaultLimits } from '../limits.ts';
import { secretScanner } from '../secrets.ts';
import { rawView } from '../view.ts';
import { viewsOf } from '../views.ts';
import { detectors } from './registry.ts';

/** The most characters that a pattern without lookarounds of variable length can match. */
function longestMatch(source: string): number {
  let i = 0;
  const alternatives = (): number => {
    let longest = sequence();
    while (source[i] === '|') {
      i += 1;
      longest = Math.max(longest, sequence());
    }
    return longest;
  };
  const sequence = (): number => {
    let sum = 0;
    while (i < source.length && source[i] !== '|' && source[i] !== ')') {
      const length = atom();
      const times = /^(?:\{(?<least>\d+)(?<comma>,?)(?<most>\d*)\}|(?<mark>[*+?]))\??/.exec(source.slice(i));
      i += times?.[0].length ?? 0;
      const { least, comma, most, mark } = times?.groups ?? {};
      const count = mark === '?' || !times ? 1 : mark ? Number.POSITIVE_INFINITY : comma ? Number(most || 'Infinity') : Number(least);
      sum += length === 0 ? 0 : length * count;
    }
    return sum;
  };
  const atom = (): number => {
    const first = source[i++];
    if (first === '(') {
      const look = /^\?<?[=!]/.exec(source.slice(i));
      i += (look ?? /^(?:\?(?::|<\w+>))?/.exec(source.slice(i)))?.[0].length ?? 0;
      const length = alternatives();
      i += 1;
      return look ? 0 : length;
    }
    if (first === '[') {
      while (source[i] !== ']') i += source[i] === '\\' ? 2 : 1;
      i += 1;
      return 1;
    }
    if (first === '^' || first === '$') return 0;
    if (first !== '\\') return 1;
    const escape = source[i++];
    if (escape === 'x') i += 2;
    if (escape === 'k') i = source.indexOf('>', i) + 1;
    return escape === 'b' || escape === 'B' ? 0 : 1;
  };
  return alternatives();
}

function refusedOr(look: () => unknown): void {
  try {
    look();
  } catch (fault) {
    if (!(fault instanceof IntramurError && fault.code === 'INSPECT_LIMIT')) throw fault;
  }
}

const scannerOf = (list: readonly Detector[]) => secretScanner({ detectors: list, isPlaceholder: () => false, fingerprint: () => 'f' });
const all = scannerOf(detectors);

function found(scanner: typeof all, text: string): string[] {
  const budget = budgetFor(defaultLimits, () => 0);
  const views = [...viewsOf(rawView(Buffer.from(text)), budget)];
  return views.flatMap(({ view }) => scanner.scan(view)).map((finding) => finding.detector);
}

describe.each(detectors.map((detector): [string, Detector] => [detector.id, detector]))('%s', (id, detector) => {
  const alone = scannerOf([detector]);

  it('finds its own samples, wherever they stand', () => {
    expect(detector.hits.length).toBeGreaterThan(0);
    for (const hit of detector.hits) {
      for (const text of [hit, `x = "${hit}";`, `line\n${hit}\nline`, JSON.stringify({ content: `a\n${hit}\nb` })]) {
        expect([text, found(alone, text)]).toEqual([text, expect.arrayContaining([id])]);
      }
    }
  });

  it('matches no further than the window around its keyword', () => {
    // A key in PEM may go on for longer; what the window holds of it is enough.
    const longest = id === 'private-key' ? 0 : longestMatch(detector.pattern.source);
    expect(longest).toBeLessThanOrEqual(detector.lookback + detector.reach);
  });

  it('is bounded in work where its keyword, and half of what it looks for, stand without end', () => {
    const halves = detector.hits.flatMap((hit) => [hit.slice(0, Math.ceil(hit.length / 2)), hit.slice(0, -1), `${hit.slice(0, -1)} `]);
    const pieces = [...detector.keywords, ...halves, ...detector.keywords.map((keyword) => `${keyword} = "`)];
    for (const piece of pieces) {
      const began = process.cpuUsage();
      // That it holds more than may be looked at is an answer, too.
      expect(() => refusedOr(() => found(alone, piece.repeat(Math.ceil(20_000 / piece.length))))).not.toThrow();
      const { user } = process.cpuUsage(began);
      // Some milliseconds are usual; backtracking that multiplies would take minutes.
      expect([piece.slice(0, 12), user < 4_000_000]).toEqual([piece.slice(0, 12), true]);
    }
  });

  it('leaves its look-alikes alone', () => {
    expect(detector.misses.length).toBeGreaterThan(0);
    for (const miss of detector.misses) expect([miss, found(alone, miss)]).toEqual([miss, []]);
  });

  it('is found beside all other detectors, as itself or as a kin that is no weaker', () => {
    for (const hit of detector.hits) {
      const ids = found(all, hit);
      const tiers = ids.map((other) => detectors.find((known) => known.id === other)?.tier);
      expect([hit, tiers.includes(detector.tier) || tiers.includes('block') || (detector.tier === 'count' && tiers.length > 0)]).toEqual([
        hit,
        true,
      ]);
    }
  });
});

it('has unique ids, lower-case keywords, and no pattern that can run away', () => {
  expect(new Set(detectors.map(({ id }) => id)).size).toBe(detectors.length);
  for (const { id, keywords, pattern } of detectors) {
    expect([id, keywords.length > 0 && keywords.every((keyword) => keyword === keyword.toLowerCase())]).toEqual([id, true]);
    // Outside of classes there is no unbounded quantifier, so the work at one keyword is bounded.
    const bare = pattern.source.replace(/\\./g, '_').replace(/\[[^\]]*\]/g, '_');
    expect([id, /[*+]|\{\d+,\}/.test(bare)]).toEqual([id, false]);
  }
});
