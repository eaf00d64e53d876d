// "Did you mean …?": the nearest word of a fixed vocabulary by Levenshtein distance.

/** Number of single-character insertions, deletions and substitutions between two short words. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate that `word` was most likely meant to be; `undefined` when none is close enough to be helpful. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 2)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > least) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    // Of two that are equally near, the one that begins alike: people seldom get the first letter wrong.
    const isAlike = distance === least && candidate[0] === word[0] && best?.[0] !== word[0] && best !== undefined;
    if (distance < least || isAlike) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}
