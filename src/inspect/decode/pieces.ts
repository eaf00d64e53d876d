// An encoding that was cut into pieces of one length: what cuts it (messages, lists of strings, numbers of lines, quotes, parameters) stands
// between them and is in no alphabet, so what tells that they belong together is their length.
import type { Span } from '../view.ts';

/** What stands between two pieces at most. INVARIANT: less than what edges.ts wants free of pieces before a cut. */
export const MOST_BETWEEN = 384;
/** Shorter ones are not put together. */
export const LEAST_PIECE = 16;

/** Runs that follow one another and have one length, each time with the shorter one that ends them. */
export function* cutAlike<T extends Span>(runs: readonly T[]): Generator<readonly T[]> {
  for (let first = 0; first + 1 < runs.length; ) {
    let last = first;
    while (last + 1 < runs.length && goesOn(runs, last, lengthOf(runs[first])) && lengthOf(runs[last + 1]) === lengthOf(runs[first]))
      last += 1;
    const hasRest = goesOn(runs, last, lengthOf(runs[first]));
    if (last > first || hasRest) yield runs.slice(first, last + (hasRest ? 2 : 1));
    first = last + 1;
  }
}

function lengthOf(run: Span | undefined): number {
  return run ? run.end - run.start : 0;
}

/** Not longer, and not far. */
function goesOn(runs: readonly Span[], last: number, length: number): boolean {
  const [here, next] = [runs[last], runs[last + 1]];
  return here !== undefined && next !== undefined && lengthOf(next) <= length && next.start - here.end <= MOST_BETWEEN;
}
