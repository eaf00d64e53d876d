// Agents send the whole conversation again with every call. What stood in the last payload of a session is not looked at twice:
// only the part that differs is, from a string (or a line, where it is no JSON) before it to one behind it.
// INVARIANT: one history belongs to one inspector, so what is remembered was found with the same detectors and the same index.
import { jsonTexts } from './decode/json.ts';
import type { Span } from './view.ts';

/** What is looked at again on both sides of a change, so that nothing is torn apart. */
const OVERLAP = 2048;
/** Below this a whole look costs next to nothing. */
const LEAST = 32 << 10;
const MOST_BYTES = 256 << 20;

export interface Remembered<Found> {
  readonly bytes: Buffer;
  /** `undefined` for what is no JSON: it is cut at line breaks. */
  readonly texts: readonly Span[] | undefined;
  readonly found: Found;
}

/** The part of a payload that is new, and what it replaces in the one before. */
export interface Change<Found> {
  readonly fresh: Span;
  readonly replaced: Span;
  readonly before: Found;
}

export interface History<Found> {
  /** `undefined` when the whole payload has to be looked at. */
  changeSince(session: string, bytes: Buffer, isJson: boolean): Change<Found> | undefined;
  remember(session: string, bytes: Buffer, isJson: boolean, found: Found): void;
}

export function createHistory<Found>(): History<Found> {
  const sessions = new Map<string, Remembered<Found>>();
  let held = 0;

  const forget = (session: string) => {
    held -= sessions.get(session)?.bytes.length ?? 0;
    sessions.delete(session);
  };

  return {
    changeSince(session, bytes, isJson) {
      const last = sessions.get(session);
      return last && isJson === (last.texts !== undefined) ? changeBetween(last, bytes) : undefined;
    },
    remember(session, bytes, isJson, found) {
      forget(session);
      if (bytes.length < LEAST || bytes.length > MOST_BYTES / 4) return;
      sessions.set(session, { bytes: Buffer.from(bytes), texts: isJson ? jsonTexts(bytes).texts : undefined, found });
      held += bytes.length;
      for (const [oldest] of sessions) {
        if (held <= MOST_BYTES) break;
        forget(oldest);
      }
    },
  };
}

function changeBetween<Found>(last: Remembered<Found>, bytes: Buffer): Change<Found> | undefined {
  const { bytes: before, texts, found } = last;
  const shorter = Math.min(before.length, bytes.length);
  const same = samePrefix(before, bytes, shorter);
  if (same === before.length && same === bytes.length) {
    return { fresh: { start: same, end: same }, replaced: { start: same, end: same }, before: found };
  }
  const sameEnd = sameSuffix(before, bytes, shorter - same);
  // Quotes belong to what is looked at, so both cuts lie outside of strings.
  const start = texts ? lastEnd(texts, same - OVERLAP) : lineBefore(before, same - OVERLAP);
  const wanted = before.length - sameEnd + OVERLAP;
  const stop = (texts ? firstStart(texts, wanted) : lineAfter(before, wanted)) ?? before.length;
  if (start === undefined || stop < start) return undefined;
  const fresh = { start, end: stop + bytes.length - before.length };
  if (fresh.end < fresh.start) return undefined;
  if (texts && !jsonTexts(bytes.subarray(fresh.start, fresh.end)).isClosed) return undefined;
  return { fresh, replaced: { start, end: stop }, before: found };
}

/** Length of what both begin with: halved until found, each comparison a memcmp. */
function samePrefix(a: Buffer, b: Buffer, limit: number): number {
  let low = 0;
  let high = limit;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (a.compare(b, low, middle, low, middle) === 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

function sameSuffix(a: Buffer, b: Buffer, limit: number): number {
  let low = 0;
  let high = limit;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const isSame = a.compare(b, b.length - middle, b.length - low, a.length - middle, a.length - low) === 0;
    if (isSame) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Behind the closing quote of the last text that ends at or before `position`. */
function lastEnd(texts: readonly Span[], position: number): number | undefined {
  const index = texts.findLastIndex(({ end }) => end + 1 <= position);
  const text = texts[index];
  return text && text.end + 1;
}

/** The opening quote of the first text that begins behind `position`. */
function firstStart(texts: readonly Span[], position: number): number | undefined {
  const text = texts.find(({ start }) => start - 1 >= position);
  return text && text.start - 1;
}

function lineBefore(bytes: Buffer, position: number): number | undefined {
  const found = position > 0 ? bytes.lastIndexOf(0x0a, position - 1) : -1;
  return found === -1 ? undefined : found + 1;
}

function lineAfter(bytes: Buffer, position: number): number | undefined {
  const found = position < bytes.length ? bytes.indexOf(0x0a, position) : -1;
  return found === -1 ? undefined : found;
}
