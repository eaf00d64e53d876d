// Takes a streamed answer apart into events without losing a byte: what comes out, put together, is what went in.
import type { StreamForm } from '../wire/index.ts';

export interface Piece {
  readonly bytes: Buffer;
  /** Half-open range of the event's JSON in `bytes`; left out where there is none. */
  readonly json?: { readonly start: number; readonly end: number };
}

export interface Splitter {
  push(chunk: Uint8Array): Piece[];
  /** What came last and was not complete. */
  rest(): Buffer;
}

export function createSplitter(form: StreamForm): Splitter {
  return form === 'sse' ? eventSplitter() : elementSplitter();
}

const lf = 0x0a;
const cr = 0x0d;

function eventSplitter(): Splitter {
  let held: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([held, chunk]);
      const pieces: Piece[] = [];
      let from = 0;
      for (let end = endOfEvent(bytes, from); end > 0; end = endOfEvent(bytes, from)) {
        pieces.push(eventIn(bytes.subarray(from, end)));
        from = end;
      }
      held = bytes.subarray(from);
      return pieces;
    },
    rest() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
  };
}

/** Offset behind the next blank line; 0 for none. A CR at the very end may still get its LF, so it waits. */
function endOfEvent(bytes: Buffer, from: number): number {
  let isBlank = true;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== lf && byte !== cr) {
      isBlank = false;
      continue;
    }
    if (byte === cr && at + 1 === bytes.length) return 0;
    if (byte === cr && bytes[at + 1] === lf) at++;
    if (isBlank) return at + 1;
    isBlank = true;
  }
  return 0;
}

/** An event whose data stands on several lines is put on one: a line end between two parts of a JSON text is a blank like any other. */
function eventIn(bytes: Buffer): Piece {
  const text = bytes.toString('latin1');
  const lines = [...text.matchAll(/data: ?([^\r\n]*)/g)].filter(({ index }) => index === 0 || /[\r\n]/.test(text[index - 1] ?? ''));
  const [first] = lines;
  if (!first) return { bytes };
  if (lines.length === 1) {
    const end = first.index + first[0].length;
    return { bytes, json: { start: end - (first[1]?.length ?? 0), end } };
  }
  const others = text.split(/\r\n|\r|\n/).filter((line) => line !== '' && !line.startsWith('data:'));
  const before = [...others, 'data: '].join('\n');
  const data = lines.map((line) => line[1] ?? '').join(' ');
  return {
    bytes: Buffer.from(`${before}${data}\n\n`, 'latin1'),
    json: { start: before.length, end: before.length + data.length },
  };
}

/** The elements of one JSON array; what stands before an element goes with it. */
function elementSplitter(): Splitter {
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  let depth = 0;
  let start = 0;
  let isInString = false;

  return {
    push(chunk) {
      held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
      const pieces: Piece[] = [];
      let from = 0;
      for (; at < held.length; at++) {
        const byte = held[at];
        if (isInString) {
          // The character behind a backslash may be in the next chunk.
          if (byte === 0x5c) {
            if (at + 1 >= held.length) break;
            at++;
          } else if (byte === 0x22) isInString = false;
        } else if (byte === 0x22) isInString = true;
        else if (byte === 0x7b || byte === 0x5b) {
          depth++;
          if (depth === 2) start = at;
        } else if (byte === 0x7d || byte === 0x5d) {
          depth--;
          if (depth === 1) {
            pieces.push({ bytes: held.subarray(from, at + 1), json: { start: start - from, end: at + 1 - from } });
            from = at + 1;
          }
        }
      }
      held = held.subarray(from);
      at -= from;
      start -= from;
      return pieces;
    },
    rest() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
  };
}
