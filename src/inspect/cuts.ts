// Where a payload of JSON is cut, so that a part of it can be looked at alone: at a place that no encoded run passes (edges.ts), outside of
// strings or at the beginning of a line in one.
import { areUsedUp, beginsAnew, endsAll, someTries } from './edges.ts';
import type { Span } from './view.ts';

/** What is looked at on both sides of a change or of a cut, so that nothing is torn apart. */
export const OVERLAP = 2048;

export interface Cut {
  readonly at: number;
  /** Within a text, at the beginning of one of its lines; else behind its closing quote. */
  readonly isInside: boolean;
}

/** The last place at or before `position` that no run passes; `undefined` also when it is none of the many that were tried. */
export function cutBefore(bytes: Buffer, texts: Int32Array, position: number): Cut | undefined {
  const tries = someTries();
  for (let i = texts.length - 2; i >= 0; i -= 2) {
    const start = texts[i] ?? 0;
    const end = texts[i + 1] ?? 0;
    if (start >= position) continue;
    if (areUsedUp(tries)) return undefined;
    if (end + 1 <= position && endsAll(bytes, start, end, tries)) return { at: end + 1, isInside: false };
    for (let at = lineBefore(bytes, start, Math.min(end, position)); at > 0; at = lineBefore(bytes, start, at - LINE_BREAK)) {
      if (endsAll(bytes, start, at - LINE_BREAK, tries)) return { at, isInside: true };
      if (areUsedUp(tries)) return undefined;
    }
  }
  return undefined;
}

/** Bytes of an escaped line break. */
const LINE_BREAK = 2;
const BACKSLASH = 0x5c;

/** Behind the last line break that a text escapes between `start` and `end`; 0 when there is none. */
function lineBefore(bytes: Buffer, start: number, end: number): number {
  for (let at = end; at - LINE_BREAK > start; at--) {
    if (bytes[at - 1] !== 0x6e || bytes[at - 2] !== BACKSLASH) continue;
    let slashes = at - LINE_BREAK;
    while (slashes > start && bytes[slashes - 1] === BACKSLASH) slashes -= 1;
    if ((at - LINE_BREAK - slashes) % 2 === 0) return at;
  }
  return 0;
}

/** The opening quote of the first text that begins behind `position` and that no run enters. */
export function cutBehind(bytes: Buffer, texts: Int32Array, position: number): number | undefined {
  let first = texts.length;
  while (first > 0 && (texts[first - 2] ?? 0) - 1 >= position) first -= 2;
  const tries = someTries();
  for (let i = first; i < texts.length && !areUsedUp(tries); i += 2) {
    if (beginsAnew(bytes, texts[i] ?? 0, texts[i + 1] ?? 0, tries)) return (texts[i] ?? 0) - 1;
  }
  return undefined;
}

/** The texts before the change, those in it, and those behind it where they now stand. */
export function joinedTexts(before: Int32Array, replaced: Span, inside: Int32Array, fresh: Span, isInside: boolean): Int32Array {
  const moved = fresh.end - replaced.end;
  let head = before.length;
  while (head > 0 && (before[head - 1] ?? 0) >= replaced.start) head -= 2;
  let tail = before.length;
  while (tail > 0 && (before[tail - 2] ?? 0) > replaced.end) tail -= 2;
  const all = new Int32Array(head + inside.length + before.length - tail);
  all.set(before.subarray(0, head));
  for (let i = 0; i < inside.length; i++) all[head + i] = (inside[i] ?? 0) + fresh.start;
  // The text that was cut is one again.
  if (isInside && inside.length > 0) all[head] = before[head] ?? 0;
  for (let i = tail; i < before.length; i++) all[head + inside.length + i - tail] = (before[i] ?? 0) + moved;
  return all;
}
