// Words and single code points, and the differences between two lists of them (E. Myers, "An O(ND) Difference Algorithm", 1986).

export interface Token {
  readonly text: string;
  /** Where it stands in its line, in UTF-16 code units. */
  readonly at: number;
}

// A modifier letter (U+02B9, U+02BC) is a letter to Unicode and an apostrophe to the eye: it stands alone.
const token = /(?:(?!\p{Lm})[\p{L}\p{N}_])+|[^]/gu;

export function tokenize(line: string, from = 0): Token[] {
  return [...line.matchAll(token)].map((match) => ({ text: match[0], at: from + match.index }));
}

export function countTokens(text: string): number {
  return text.match(token)?.length ?? 0;
}

/** `a[aStart:aEnd]` stands where `b[bStart:bEnd]` does. */
export interface Hunk {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

/** Differences in order. With more than `limit` single changes, all between the common beginning and end is one hunk. */
export function differences(a: readonly string[], b: readonly string[], limit = 400): Hunk[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const n = a.length - start - end;
  const m = b.length - start - end;
  if (n === 0 && m === 0) return [];
  const whole = { aStart: start, aEnd: start + n, bStart: start, bEnd: start + m };
  if (n === 0 || m === 0) return [whole];
  const trace = shortestEdit(a.slice(start, start + n), b.slice(start, start + m), limit);
  if (trace === undefined) return [whole];
  return hunksOf(trace, n, m).map((hunk) => ({
    aStart: hunk.aStart + start,
    aEnd: hunk.aEnd + start,
    bStart: hunk.bStart + start,
    bEnd: hunk.bEnd + start,
  }));
}

/** The furthest reach on each diagonal after each number of changes; `undefined` beyond the limit. */
function shortestEdit(a: readonly string[], b: readonly string[], limit: number): Int32Array[] | undefined {
  const most = Math.min(limit, a.length + b.length);
  const offset = most + 1;
  let reach = new Int32Array(2 * offset + 1);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= most; d += 1) {
    trace.push(reach);
    reach = reach.slice();
    for (let k = -d; k <= d; k += 2) {
      const below = reach[offset + k - 1] ?? 0;
      const above = reach[offset + k + 1] ?? 0;
      let x = k === -d || (k !== d && below < above) ? above : below + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach[offset + k] = x;
      if (x >= a.length && x - k >= b.length) {
        trace.push(reach);
        return trace;
      }
    }
  }
  return undefined;
}

function hunksOf(trace: readonly Int32Array[], n: number, m: number): Hunk[] {
  const hunks: Hunk[] = [];
  let x = n;
  let y = m;
  for (let d = trace.length - 2; d > 0; d -= 1) {
    const before = trace[d];
    if (before === undefined) break;
    const offset = (before.length - 1) / 2;
    const k = x - y;
    const below = before[offset + k - 1] ?? 0;
    const above = before[offset + k + 1] ?? 0;
    const isInsertion = k === -d || (k !== d && below < above);
    const fromX = isInsertion ? above : below;
    const fromY = fromX - (isInsertion ? k + 1 : k - 1);
    const last = hunks.at(-1);
    const endX = isInsertion ? fromX : fromX + 1;
    const endY = isInsertion ? fromY + 1 : fromY;
    if (last !== undefined && last.aStart === endX && last.bStart === endY)
      hunks[hunks.length - 1] = { ...last, aStart: fromX, bStart: fromY };
    else hunks.push({ aStart: fromX, aEnd: endX, bStart: fromY, bEnd: endY });
    x = fromX;
    y = fromY;
  }
  return hunks.toReversed();
}
