// Whether two files of one size hold the same, read side by side. Links are not followed.
import { closeSync, constants, openSync, readSync } from 'node:fs';

/** @throws the fault of one that cannot be read */
export function sameBytes(a: string, b: string): boolean {
  const size = 1 << 18;
  const [one, two] = [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)];
  const x = openSync(a, constants.O_RDONLY | constants.O_NOFOLLOW);
  let y: number | undefined;
  try {
    y = openSync(b, constants.O_RDONLY | constants.O_NOFOLLOW);
    for (;;) {
      const [n, m] = [readSync(x, one), readSync(y, two)];
      if (n !== m || !one.subarray(0, n).equals(two.subarray(0, m))) return false;
      if (n === 0) return true;
    }
  } finally {
    closeSync(x);
    if (y !== undefined) closeSync(y);
  }
}
