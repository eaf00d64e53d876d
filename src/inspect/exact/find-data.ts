// Whom a text names: every stretch of one to eight runs of letters and digits is looked up.
import { mix } from '../source/grams.ts';
import type { ClassifiedFinding } from '../source/source-scan.ts';
import { bloomBits } from '../source/table.ts';
import type { View } from '../view.ts';
import { type DataIndex, lanesFor } from './data-table.ts';
import { keyOf, LONGEST, MOST_RUNS, newRuns, powerA, type Runs, runsOf, secondOf, stretchesFrom } from './runs.ts';

/** Runs of letters and digits on each side within which a second value of the same row confirms the first. */
const NEAR = 60;
/** Beyond so many in one view nothing more is confirmed: it is a table of people already. */
const MOST_CONFIRMED = 200;

export function dataFinder(index: DataIndex): (view: View) => ClassifiedFinding[] {
  const lanes = lanesFor(index.secret);
  const runs = newRuns();

  const isConfirmed = (row: number, first: number, last: number): boolean => {
    let found = false;
    for (let i = Math.max(0, first - NEAR); i < Math.min(runs.count, last + NEAR) && !found; i++) {
      stretchesFrom(runs, i, index.confirmingLengths, (end, a, b) => {
        // Not the value itself, which may stand in two columns.
        if (i <= last && end >= first) return;
        const { high, low } = keyOf(a, b, lanes.confirming, row);
        found ||= index.confirming.find(high, low) === row;
      });
    }
    return found;
  };

  const findingAt = (view: View, row: number, first: number, last: number, found: number): ClassifiedFinding | undefined => {
    const table = index.tables.findLast(({ firstRow }) => firstRow <= row);
    if (!table) return undefined;
    const isCertain = table.with.length === 0 || (found < MOST_CONFIRMED && isConfirmed(row, first, last));
    const [start, end] = [runs.start[first] ?? 0, runs.end[last] ?? 0];
    return {
      kind: 'pii',
      tier: isCertain ? 'block' : 'route',
      detector: 'exact-data',
      classification: table.classification,
      repository: table.name,
      view: view.decodersOf(start, end),
      ...view.origin(start, end),
      redacted: `exact-data of ${table.name}, ${end - start} bytes`,
    };
  };

  return (view) => {
    runsOf(view.bytes, runs);
    const findings: ClassifiedFinding[] = [];
    for (const { first, last, a } of candidates(runs, index, lanes.named)) {
      const { high, low } = keyOf(a, secondOf(runs, first, last), lanes.named);
      const row = index.named.find(high, low);
      const finding = row === 0 ? undefined : findingAt(view, row, first, last, findings.length);
      if (finding) findings.push(finding);
    }
    return findings;
  };
}

interface Stretch {
  readonly first: number;
  readonly last: number;
  /** The first hash; the second is made for few. */
  readonly a: number;
}

/**
 * Stretches that the filter of the table does not rule out: one in hundreds, so only of those the second hash is made. The same as
 * `stretchesFrom` from every run on, without a call for each.
 */
function candidates({ count, start, end, a }: Runs, { named, namedLengths }: DataIndex, lane: { readonly a: number }): Stretch[] {
  const { bloom, bloomShift } = named;
  const found: Stretch[] = [];
  for (let first = 0; first < count; first++) {
    let length = 0;
    let hash = 0;
    for (let last = first; last < first + MOST_RUNS && last < count; last++) {
      const size = (end[last] ?? 0) - (start[last] ?? 0);
      length += size;
      if (length > LONGEST) break;
      hash = (Math.imul(hash, powerA[size] ?? 0) + (a[last] ?? 0)) | 0;
      if (namedLengths[length] !== 1) continue;
      const high = mix(hash ^ lane.a);
      const bits = bloomBits(high);
      if (((bloom[high >>> bloomShift] ?? 0) & bits) === bits) found.push({ first, last, a: hash });
    }
  }
  return found;
}
