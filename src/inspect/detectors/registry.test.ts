import { describe, expect, it } from 'vitest';
import type { Detector } from '../detector.ts';
import { budgetFor, defaultLimits } from '../limits.ts';
import { secretScanner } from '../secrets.ts';
import { rawView } from '../view.ts';
import { viewsOf } from '../views.ts';
import { detectors } from './registry.ts';

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
