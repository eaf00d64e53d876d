// Files that are in the layer only although the kernel once copied them from the workspace. Some got their name in the session: a rename or
// a hard link takes the mark of a copy along. Of the others the workspace has lost its own since. The mark says no more than that there was
// an original; but a rename takes the original out of sight, so that without such a one the workspace must have lost it.
import type { BigIntStats } from 'node:fs';

interface Pair {
  readonly upper: BigIntStats;
  readonly lower: BigIntStats;
}

interface Copy {
  readonly path: string;
  readonly upper: BigIntStats;
}

export interface Surroundings {
  /** Files of the workspace that the layer hides or replaces; `undefined` for what was deleted inside and is gone outside as well. */
  readonly hidden: readonly (BigIntStats | undefined)[];
  /** Files of the layer that lie over one of the workspace. */
  readonly over: readonly Pair[];
}

/**
 * INVARIANT: what may have been renamed is not taken for lost: to write a file that somebody has removed loses nothing, to leave out one
 * whose old name is removed does.
 * @param copies in the layer only, with the mark of a copy
 * @returns those whose original the workspace has lost since
 */
export function lostSince(copies: readonly Copy[], { hidden, over }: Surroundings): Copy[] {
  const linked = new Set(over.filter(({ upper }) => upper.nlink > 1n).map(({ upper }) => upper.ino));
  const free = new Map<string, number>();
  for (const original of hidden) free.set(likeness(original), (free.get(likeness(original)) ?? 0) + 1);
  // Other names of one file have one original.
  const files = new Map<bigint, Copy[]>();
  for (const copy of copies) if (!linked.has(copy.upper.ino)) files.set(copy.upper.ino, [...(files.get(copy.upper.ino) ?? []), copy]);
  const unlike = [...files.values()].filter(([copy]) => {
    const count = free.get(likeness(copy?.upper)) ?? 0;
    if (count > 0) free.set(likeness(copy?.upper), count - 1);
    return count === 0;
  });
  // What was renamed and then written to looks like none; any original that is left may be its own.
  const isOriginalLeft = [...free.values()].some((count) => count > 0);
  return isOriginalLeft ? [] : unlike.flat();
}

/** A copy keeps the size and the time of its original, and a rename keeps both. */
function likeness(stat: BigIntStats | undefined): string {
  return stat ? `${stat.size} ${stat.mtimeNs}` : 'unknown';
}
