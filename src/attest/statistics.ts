// The two exact tests that decide whether a difference follows a factor or chance.

/** One-sided Fisher test: the chance of at least `a` hits in a group of `a + b`, when `a + c` hits fall on `a + b + c + d` at random. */
export function fisher(a: number, b: number, c: number, d: number): number {
  const group = a + b;
  const hits = a + c;
  const all = a + b + c + d;
  let chance = 0;
  for (let k = a; k <= Math.min(group, hits); k += 1) {
    chance += Math.exp(logChoose(hits, k) + logChoose(all - hits, group - k) - logChoose(all, group));
  }
  return Math.min(1, chance);
}

/** The chance that a group of `size`, picked at random among `all`, is exactly the one with the extreme values. */
export function separation(size: number, all: number): number {
  return Math.exp(-logChoose(all, size));
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

const logFactorials = [0];

function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i += 1) logFactorials.push((logFactorials[i - 1] ?? 0) + Math.log(i));
  return logFactorials[n] ?? 0;
}
