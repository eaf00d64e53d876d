// Which surroundings are run together: a balanced mixed-level covering array of strength two. In a dozen runs every value of every factor
// occurs with every value of every other, and without it, so that one reading of the pattern of differences says which value they follow.
import { type Assignment, type Factor, levels } from './factors.ts';

const attempts = 2000;
/** Twelve are enough for all factors; a search that was unlucky gets one more, and another. */
const maxRows = 16;

/** Rows in which at least one factor varies; a single factor is varied alone. */
export function designOf(vary: readonly Factor[], random: () => number): Assignment[] {
  const varied = vary.filter((factor) => levels[factor].others.length > 0);
  if (varied.length < 2) return varied.flatMap((factor) => levels[factor].others.map(({ id }) => ({ [factor]: id })));
  const counts = varied.map((factor) => levels[factor].others.length + 1);
  const [most = 2, next = 2] = counts.toSorted((a, b) => b - a);
  let found = columnsOf(counts, most * next, random);
  for (let rows = most * next + 1; found.missing > 0 && rows <= maxRows; rows += 1) found = columnsOf(counts, rows, random);
  const plan = (found.columns[0] ?? []).map((_, row) =>
    Object.fromEntries(
      varied.flatMap((factor, at) => {
        const value = found.columns[at]?.[row] ?? 0;
        return value === 0 ? [] : [[factor, levels[factor].others[value - 1]?.id ?? '']];
      }),
    ),
  );
  return plan.filter((assignment) => Object.keys(assignment).length > 0);
}

/** A column for each factor, with each of its values equally often. */
function columnsOf(counts: readonly number[], rows: number, random: () => number): { columns: number[][]; missing: number } {
  const columns = counts.map((count) =>
    mixed(
      Array.from({ length: rows }, (_, row) => row % count),
      random,
    ),
  );
  let missing = missingPairs(columns, counts);
  // Two entries of one column change places, as long as no more pairs are missing: balance stays as it is.
  for (let i = 0; i < attempts && missing > 0; i += 1) {
    const column = columns[Math.floor(random() * columns.length)] ?? [];
    const [a, b] = [Math.floor(random() * rows), Math.floor(random() * rows)];
    if (column[a] === column[b]) continue;
    swap(column, a, b);
    const now = missingPairs(columns, counts);
    if (now <= missing) missing = now;
    else swap(column, a, b);
  }
  return { columns, missing };
}

/** Pairs of values of two factors that occur in no row; both at their base is what the runs of the base are for. */
function missingPairs(columns: readonly (readonly number[])[], counts: readonly number[]): number {
  let missing = 0;
  for (const [f, one] of columns.entries()) {
    for (let g = f + 1; g < columns.length; g += 1) {
      const other = columns[g] ?? [];
      const width = counts[g] ?? 1;
      let seen = 1;
      for (const [row, value] of one.entries()) seen |= 1 << (value * width + (other[row] ?? 0));
      missing += (counts[f] ?? 1) * width - bits(seen);
    }
  }
  return missing;
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

function swap(list: number[], a: number, b: number): void {
  const [x = 0, y = 0] = [list[a], list[b]];
  list[a] = y;
  list[b] = x;
}

function mixed(list: number[], random: () => number): number[] {
  for (let i = list.length - 1; i > 0; i -= 1) swap(list, i, Math.floor(random() * (i + 1)));
  return list;
}
