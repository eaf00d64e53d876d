// Agents send the whole conversation again with every call. What stood in the last payload of a session is not looked at twice:
// only the part that differs is, from a string before it to one behind it. Payloads that are no JSON are looked at whole.
// INVARIANT: one history belongs to one inspector, so what is remembered was found with the same detectors and the same index.
// INVARIANT: no encoded run reaches over a cut. Its first bytes say how the rest is read (the phase of base64, the mark of a stream),
// so a change there would make a secret of bytes that were noise before and are not looked at again.
import { CONVINCING, commonShare } from './decode/disguise.ts';
import { jsonTexts } from './decode/json.ts';
import type { Span } from './view.ts';

/** What is looked at again on both sides of a change, so that nothing is torn apart. */
const OVERLAP = 2048;
/** Below this a whole look costs next to nothing. */
const LEAST = 32 << 10;
const MOST_BYTES = 256 << 20;

export interface Remembered<Found> {
  readonly bytes: Buffer;
  readonly texts: readonly Span[];
  readonly found: Found;
}

/** The part of a payload that is new, and what it replaces in the one before. */
export interface Change<Found> {
  readonly fresh: Span;
  readonly replaced: Span;
  readonly before: Found;
  /** The texts of the whole payload as it now is, for the next comparison. */
  readonly texts: readonly Span[];
}

export interface History<Found> {
  /** For JSON; `undefined` when the whole payload has to be looked at. */
  changeSince(session: string, bytes: Buffer): Change<Found> | undefined;
  remember(session: string, bytes: Buffer, found: Found, change: Change<Found> | undefined): void;
}

export function createHistory<Found>(): History<Found> {
  const sessions = new Map<string, Remembered<Found>>();
  let held = 0;

  const forget = (session: string) => {
    held -= sessions.get(session)?.bytes.length ?? 0;
    sessions.delete(session);
  };

  return {
    changeSince(session, bytes) {
      const last = sessions.get(session);
      return last && changeBetween(last, bytes);
    },
    remember(session, bytes, found, change) {
      if (change && isEmpty(change.fresh) && isEmpty(change.replaced)) return;
      forget(session);
      if (bytes.length < LEAST || bytes.length > MOST_BYTES / 4) return;
      sessions.set(session, { bytes: Buffer.from(bytes), texts: change?.texts ?? jsonTexts(bytes).texts, found });
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
    return { fresh: { start: same, end: same }, replaced: { start: same, end: same }, before: found, texts };
  }
  const sameEnd = sameSuffix(before, bytes, shorter - same);
  // Quotes belong to what is looked at, so both cuts lie outside of strings.
  const start = cutBefore(before, texts, same - OVERLAP);
  const stop = cutBehind(before, texts, before.length - sameEnd + OVERLAP) ?? before.length;
  if (start === undefined || stop < start) return undefined;
  const fresh = { start, end: stop + bytes.length - before.length };
  if (fresh.end < fresh.start) return undefined;
  const inside = jsonTexts(bytes.subarray(fresh.start, fresh.end));
  if (!inside.isClosed) return undefined;
  const replaced = { start, end: stop };
  return { fresh, replaced, before: found, texts: joinedTexts(texts, replaced, inside.texts, fresh) };
}

/** The texts before the change, those in it, and those behind it where they now stand. */
function joinedTexts(before: readonly Span[], replaced: Span, inside: readonly Span[], fresh: Span): Span[] {
  const moved = fresh.end - replaced.end;
  return [
    ...before.filter(({ end }) => end < replaced.start),
    ...inside.map(({ start, end }) => ({ start: start + fresh.start, end: end + fresh.start })),
    ...before.filter(({ start }) => start > replaced.end).map(({ start, end }) => ({ start: start + moved, end: end + moved })),
  ];
}

function isEmpty({ start, end }: Span): boolean {
  return start === end;
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

/** Behind the closing quote of the last text that ends at or before `position` and that no run leaves. */
function cutBefore(bytes: Buffer, texts: readonly Span[], position: number): number | undefined {
  const text = texts.findLast(({ start, end }) => end + 1 <= position && isProse(bytes.subarray(Math.max(start, end - EDGE), end), 'end'));
  return text && text.end + 1;
}

/** The opening quote of the first text that begins behind `position` and that no run enters. */
function cutBehind(bytes: Buffer, texts: readonly Span[], position: number): number | undefined {
  const text = texts.find(
    ({ start, end }) => start - 1 >= position && isProse(bytes.subarray(start, Math.min(end, start + EDGE)), 'start'),
  );
  return text && text.start - 1;
}

/** How much of a text has to be words, and how near to its edge one of them must stand. */
const EDGE = 512;
const BRINK = 40;
/** A word that is no hexadecimal, and a blank. */
const WORD = / (?=[a-z]{0,20}[g-z])[a-z]{3,20} /i;

/** Words of a language at this edge: nothing encoded goes on from there into the next text. */
function isProse(edge: Buffer, side: 'start' | 'end'): boolean {
  const brink = side === 'end' ? edge.subarray(-BRINK) : edge.subarray(0, BRINK);
  return WORD.test(brink.toString('latin1')) && (commonShare(edge) ?? 0) >= CONVINCING;
}
