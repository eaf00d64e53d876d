// An encoding that was cut into pieces of one length: what cuts it (messages, lists of strings, numbers of lines, quotes, parameters) stands
// between them and is in no alphabet, so what tells that they belong together is their length.
import type { Span } from '../view.ts';

/** What stands between two pieces at most. INVARIANT: less than what edges.ts wants free of pieces before a cut. */
export const MOST_BETWEEN = 384;
/** Shorter ones are not put together. */
export const LEAST_PIECE = 16;

/** Runs that follow one another and have one length, each time with the shorter one that ends them. */
export function cutAlike<T extends Span>(runs: readonly T[]): readonly T[][] {
  const groups: T[][] = [];
  let first = 0;
  let before = runs[0];
  for (let i = 1; i <= runs.length; i++) {
    const run = runs[i];
    const length = before ? before.end - before.start : 0;
    const isNear = run !== undefined && before !== undefined && run.start - before.end <= MOST_BETWEEN;
    const more = isNear ? run.end - run.start - length : 1;
    if (more !== 0) {
      const end = more < 0 ? i + 1 : i;
      // A shorter one alone behind another says nothing: names are of any length.
      if (i - first > 1) groups.push(runs.slice(first, end));
      first = i;
    }
    before = run;
  }
  return groups;
}
