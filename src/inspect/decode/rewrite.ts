// Decoders that replace short pieces of a text in place: only the lines that hold such a piece become part of the new view.
import type { Budget } from '../limits.ts';
import { mappedView, type Span, type View } from '../view.ts';
import type { Decoder } from './decoder.ts';

const NEWLINE = 0x0a;
/** Texts about encodings hold such pieces inside one another by chance, so one counts as half a level. */
const LEVEL = 0.5;
/** Lines between two that hold a piece come along when they are few: what is said runs over them. */
export const NEAR = 1024;

export interface Rewriting {
  readonly id: string;
  /** A byte without which the pattern cannot match. */
  readonly trigger?: number;
  /** Global. Its matches are short and never empty. */
  readonly pattern: RegExp;
  /** What a match stands for; `undefined` leaves it. */
  replace(match: string): Buffer | string | undefined;
  /** How many replacements make it worth a view. */
  readonly least?: number;
  /** True when nothing of its kind can be left in what it yields, so that it is no level of nesting. */
  readonly isFinal?: boolean;
}

export function rewriting({ id, trigger, pattern, replace, least = 1, isFinal = false }: Rewriting): Decoder {
  return {
    id,
    *decode(view, budget) {
      if (trigger !== undefined && view.bytes.indexOf(trigger) === -1) return;
      const pieces: (Span & { readonly stands: Buffer })[] = [];
      for (const match of view.text.matchAll(pattern)) {
        const stands = replace(match[0]);
        if (stands === undefined) continue;
        pieces.push({ start: match.index, end: match.index + match[0].length, stands: Buffer.from(stands) });
      }
      if (pieces.length >= least) yield rewritten(view, id, pieces, budget, view.depth + (isFinal ? 0 : LEVEL));
    },
  };
}

/** The lines around the pieces and the few between, joined by line breaks, with each piece replaced by what it stands for. */
export function rewritten(
  view: View,
  id: string,
  pieces: readonly (Span & { readonly stands: Buffer })[],
  budget: Budget,
  depth: number,
): View {
  const { bytes } = view;
  const parts: Buffer[] = [];
  const at: number[] = [];
  const shift: number[] = [];
  let written = 0;
  let read = 0;
  const copyTo = (end: number) => {
    if (end <= read) return;
    parts.push(bytes.subarray(read, end));
    written += end - read;
    read = end;
  };
  const jumpTo = (position: number) => {
    read = position;
    at.push(written);
    shift.push(position - written);
  };
  let lineEnd = -1;
  for (const { start, end, stands } of pieces) {
    if (start >= lineEnd + (lineEnd < 0 ? 0 : NEAR)) {
      if (lineEnd >= 0) {
        copyTo(lineEnd);
        parts.push(Buffer.of(NEWLINE));
        written += 1;
      }
      jumpTo(start === 0 ? 0 : bytes.lastIndexOf(NEWLINE, start - 1) + 1);
    }
    copyTo(start);
    parts.push(stands);
    written += stands.length;
    jumpTo(end);
    if (lineEnd < end) {
      const found = bytes.indexOf(NEWLINE, end);
      lineEnd = found === -1 ? bytes.length : found;
    }
  }
  copyTo(lineEnd);
  budget.chargeView(written);
  return mappedView(view, id, Buffer.concat(parts, written), { at: Int32Array.from(at), shift: Int32Array.from(shift) }, depth);
}
