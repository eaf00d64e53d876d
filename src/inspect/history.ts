// Agents send the whole conversation again with every call. What stood in the last payload of a session is not looked at twice:
// only the part that differs is, from a string before it to one behind it. Payloads that are no JSON are looked at whole.
// INVARIANT: one history belongs to one inspector, so what is remembered was found with the same detectors and the same index.
// INVARIANT: no encoded run reaches over a cut. Its first bytes say how the rest is read (the phase of base64, the mark of a stream),
// so a change there would make a secret of bytes that were noise before and are not looked at again: see edges.ts.
import { cutBefore, cutBehind, joinedTexts, OVERLAP } from './cuts.ts';
import { type JsonReading, readJson } from './decode/json.ts';
import type { Span } from './view.ts';

/** Below this a whole look costs next to nothing. */
const LEAST = 32 << 10;
const MOST_BYTES = 256 << 20;
/** A conversation may grow to so many times what it was before it is copied. Only addresses are reserved for that, no memory. */
const ROOM = 8;
/** Memory grows by so much at a time. */
const STEP = 64 << 10;

interface Remembered<Found> {
  /** The body, in memory that grows in place: most bodies are the last one and a little more, and copying a megabyte takes as long as a look. */
  readonly memory: ArrayBuffer;
  readonly length: number;
  /** Start and end of each text, one after the other. */
  readonly texts: Int32Array;
  readonly found: Found;
}

/** The part of a payload that is new, and what it replaces in the one before. */
export interface Change<Found> {
  readonly since: Remembered<Found>;
  readonly fresh: Span;
  readonly replaced: Span;
  readonly before: Found;
  /** Does `fresh` begin within a string? */
  readonly isInside: boolean;
  /** `fresh` as it was read, where it was; valid until the next reading. */
  readonly json: JsonReading | undefined;
  /** The texts of the whole payload as it now is, for the next comparison. `fresh`: start and end of each in what is new. */
  textsWith(fresh: Int32Array): Int32Array;
}

export interface History<Found> {
  /** For JSON; `undefined` when the whole payload has to be looked at. */
  changeSince(session: string, bytes: Buffer): Change<Found> | undefined;
  /** `texts`: of the whole payload, start and end of each. */
  remember(session: string, bytes: Buffer, found: Found, texts: Int32Array, change: Change<Found> | undefined): void;
}

/** @param mostRead bytes; more than that is not read to be compared, so whoever looks at it has to find it closed */
export function createHistory<Found>(mostRead = Number.POSITIVE_INFINITY): History<Found> {
  const sessions = new Map<string, Remembered<Found>>();
  let held = 0;

  const forget = (session: string) => {
    held -= sessions.get(session)?.memory.byteLength ?? 0;
    sessions.delete(session);
  };

  return {
    changeSince(session, bytes) {
      const last = sessions.get(session);
      return last && changeBetween(last, bytes, mostRead);
    },
    remember(session, bytes, found, texts, change) {
      if (change && isEmpty(change.fresh) && isEmpty(change.replaced)) return;
      const last = sessions.get(session);
      forget(session);
      if (bytes.length < LEAST || bytes.length > MOST_BYTES / 4) return;
      // Another call of the session may have come in between, so the memory is used again only for what was compared with it.
      const isNext = change !== undefined && last === change.since && last.memory.maxByteLength >= bytes.length;
      const memory = isNext ? last.memory : new ArrayBuffer(bytes.length, { maxByteLength: ROOM * bytes.length });
      if (memory.byteLength < bytes.length) memory.resize(Math.min(memory.maxByteLength, bytes.length + STEP));
      // Before the change both are the same already.
      const from = isNext ? change.fresh.start : 0;
      bytes.copy(Buffer.from(memory), from, from);
      sessions.set(session, { memory, length: bytes.length, texts, found });
      held += memory.byteLength;
      for (const [oldest] of sessions) {
        if (held <= MOST_BYTES) break;
        forget(oldest);
      }
    },
  };
}

function changeBetween<Found>(last: Remembered<Found>, bytes: Buffer, mostRead: number): Change<Found> | undefined {
  const { memory, length, texts, found } = last;
  const before = Buffer.from(memory, 0, length);
  const shorter = Math.min(before.length, bytes.length);
  const same = samePrefix(before, bytes, shorter);
  if (same === before.length && same === bytes.length) {
    const nowhere = { start: same, end: same };
    return { since: last, fresh: nowhere, replaced: nowhere, before: found, isInside: false, json: undefined, textsWith: () => texts };
  }
  const sameEnd = sameSuffix(before, bytes, shorter - same);
  // Quotes belong to what is looked at, so both cuts lie outside of strings.
  const cut = cutBefore(before, texts, same - OVERLAP);
  const stop = cutBehind(before, texts, before.length - sameEnd + OVERLAP) ?? before.length;
  if (cut === undefined || stop < cut.at) return undefined;
  const { at: start, isInside } = cut;
  const fresh = { start, end: stop + bytes.length - before.length };
  if (fresh.end < fresh.start) return undefined;
  const json = fresh.end - fresh.start > mostRead ? undefined : readJson(bytes.subarray(fresh.start, fresh.end), isInside);
  if (json && (!json.isClosed || json.isOdd)) return undefined;
  const replaced = { start, end: stop };
  const textsWith = (inside: Int32Array): Int32Array => joinedTexts(texts, replaced, inside, fresh, isInside);
  return { since: last, fresh, replaced, before: found, isInside, json, textsWith };
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
