// Comments as text of their own: code that was put into a comment is read without its marks.
import { mappedView, type Shifts, type Span, type View } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { Numbers } from './numbers.ts';

const LEAST = 160;
const LONGEST_BLOCK = 8192;
/** So many line comments in a row are one comment. */
const LEAST_LINES = 4;
const NEWLINE = 0x0a;

const at = new Numbers();
const shift = new Numbers();

export const comment: Decoder = {
  id: 'comment',
  needs: ['blockComments', 'commentLines'],
  *decode(view, budget, { blockComments, commentLines }) {
    const { bytes } = view;
    const comments = [...blocks(bytes, blockComments), ...lineRuns(bytes, commentLines)];
    if (comments.length === 0) return;
    const size = comments.reduce((sum, { start, end }) => sum + end - start + 1, 0);
    const out = Buffer.allocUnsafe(size);
    at.clear();
    shift.clear();
    let written = 0;
    for (const { start, end } of comments) {
      const kept = { written, entries: at.length };
      let marks = 0;
      for (let i = start; i < end; ) {
        i = overMarks(bytes, i, end);
        at.push(written);
        shift.push(i - written);
        // Lines are short: a call for each would take longer than its bytes.
        for (let byte = 0; i < end && byte !== NEWLINE; i++) {
          byte = bytes[i] ?? 0;
          out[written++] = byte;
          marks += isSyntax[byte] ?? 0;
        }
      }
      if (written > 0 && out[written - 1] !== NEWLINE) out[written++] = NEWLINE;
      // Prose has a mark of syntax here and there, code has them all the time.
      if (written - kept.written >= LEAST && marks * LEAST_SHARE > written - kept.written) continue;
      written = kept.written;
      at.length = kept.entries;
      shift.length = kept.entries;
    }
    if (written === 0) return;
    budget.chargeView(written);
    // Taking marks off is no encoding: it does not count as depth.
    yield stripped(view, out.subarray(0, written), { at: at.copy(), shift: shift.copy() });
  },
};

function stripped(view: View, bytes: Buffer, shifts: Shifts): View {
  return mappedView(view, () => ['comment'], bytes, shifts, view.depth);
}

/** Long block comments, each to its first end. */
function blocks(bytes: Buffer, begins: Int32Array): Span[] {
  const found: Span[] = [];
  let free = 0;
  /** Before this position no comment ends. */
  let openUntil = 0;
  for (let b = 0; b < begins.length; b++) {
    const start = begins[b] ?? 0;
    if (start < free) continue;
    const limit = Math.min(bytes.length, start + LONGEST_BLOCK);
    let end = Math.max(start + 3, openUntil);
    while (end < limit && (bytes[end] !== 0x2f || bytes[end - 1] !== 0x2a)) end += 1;
    if (end >= limit) {
      openUntil = limit;
      continue;
    }
    free = end + 1;
    if (end - 1 - start >= LEAST) found.push({ start, end: end - 1 });
  }
  return found;
}

/** Lines of comment that follow each other. */
function lineRuns(bytes: Buffer, lines: Int32Array): Span[] {
  const found: Span[] = [];
  let run: Span = { start: 0, end: 0 };
  let count = 0;
  const close = () => {
    if (count >= LEAST_LINES && run.end - run.start >= LEAST) found.push(run);
    count = 0;
  };
  for (let l = 0; l < lines.length; l++) {
    const start = lines[l] ?? 0;
    if (count > 0 && start !== run.end) close();
    const line = bytes.indexOf(NEWLINE, start);
    const end = line === -1 ? bytes.length : line + 1;
    run = count === 0 ? { start, end } : { start: run.start, end };
    count += 1;
  }
  close();
  return found;
}

/** Behind the marks of a comment at the beginning of a line, each with a blank; `from` where there are none. */
function overMarks(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (i < end && (bytes[i] === 0x20 || bytes[i] === 0x09)) i += 1;
  let isMarked = false;
  for (let next = overMark(bytes, i); next > i && next <= end; next = overMark(bytes, i)) {
    isMarked = true;
    i = next < end && (bytes[next] === 0x20 || bytes[next] === 0x09) ? next + 1 : next;
  }
  return isMarked ? i : from;
}

function overMark(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  const next = bytes[at + 1];
  if (byte === 0x2f && (next === 0x2f || next === 0x2a)) return overSame(bytes, at + 1, next);
  if (byte === 0x2d) return next === 0x2d ? at + 2 : at;
  if (byte === 0x2a) return next === 0x2f ? at : at + 1;
  if (byte === 0x23 || byte === 0x3b) return overSame(bytes, at, byte);
  return byte === 0x7c ? at + 1 : at;
}

function overSame(bytes: Buffer, at: number, byte: number): number {
  let i = at;
  while (bytes[i] === byte) i += 1;
  return i;
}

const isSyntax = new Uint8Array(256);
for (const byte of Buffer.from(';{}=()[]<>:')) isSyntax[byte] = 1;
const LEAST_SHARE = 32;
