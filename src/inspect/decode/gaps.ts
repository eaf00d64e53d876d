// What stands in a container beside the parts that were read: a stretch between them may hold anything, and be read by whoever knows
// of it, so each is a view of its own. Zeros are padding.
import type { Span } from '../view.ts';

/** So many zeros are padding, also between two things that hide in one gap. */
const PADDING = 64;

/** The stretches outside of `read` that are not zeros, without the zeros around them. */
export function gapsBetween(bytes: Uint8Array, read: readonly Span[]): Span[] {
  const gaps: Span[] = [];
  let free = 0;
  for (const { start, end } of [...read.toSorted((a, b) => a.start - b.start), { start: bytes.length, end: bytes.length }]) {
    if (start > free) addStretches(bytes, free, Math.min(start, bytes.length), gaps);
    free = Math.max(free, end);
  }
  return gaps;
}

function addStretches(bytes: Uint8Array, from: number, to: number, gaps: Span[]): void {
  let start = -1;
  let last = -1;
  for (let i = from; i < to; i++) {
    if (bytes[i] === 0) continue;
    if (start >= 0 && i - last > PADDING) {
      gaps.push({ start, end: last + 1 });
      start = -1;
    }
    if (start < 0) start = i;
    last = i;
  }
  if (start >= 0) gaps.push({ start, end: last + 1 });
}
