// Whom a text names: every stretch of one to eight runs of letters and digits is looked up.
import type { ClassifiedFinding } from '../source/source-scan.ts';
import type { View } from '../view.ts';
import { type DataIndex, lanesFor } from './data-table.ts';
import { keyOf, newRuns, runsOf, stretchesFrom } from './runs.ts';

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

  return (view) => {
    runsOf(view.bytes, runs);
    const findings: ClassifiedFinding[] = [];
    for (let first = 0; first < runs.count; first++) {
      stretchesFrom(runs, first, index.namedLengths, (last, a, b) => {
        const { high, low } = keyOf(a, b, lanes.named);
        const row = index.named.find(high, low);
        if (row === 0) return;
        const table = index.tables.findLast(({ firstRow }) => firstRow <= row);
        if (!table) return;
        const certain = table.with.length === 0 || (findings.length < MOST_CONFIRMED && isConfirmed(row, first, last));
        const [start, end] = [runs.start[first] ?? 0, runs.end[last] ?? 0];
        findings.push({
          kind: 'pii',
          tier: certain ? 'block' : 'route',
          detector: 'exact-data',
          classification: table.classification,
          repository: table.name,
          view: view.decodersOf(start, end),
          ...view.origin(start, end),
          redacted: `exact-data of ${table.name}, ${end - start} bytes`,
        });
      });
    }
    return findings;
  };
}
