// Encodings that replace short pieces of a text in place. All kinds are replaced in one view, because they are mixed in one text;
// only the lines that hold a piece, and the few between, become part of it.
import type { Budget } from '../limits.ts';
import { mappedView, type Span, type View } from '../view.ts';

const NEWLINE = 0x0a;
/** Lines between two that hold a piece come along when they are few: what is said runs over them. */
const NEAR = 1024;

export interface Piece extends Span {
  readonly kind: string;
  readonly stands: Buffer;
}

export interface Rewriting {
  readonly id: string;
  /** The pieces of a view, in order. INVARIANT: linear in the view. */
  pieces(view: View): Piece[];
}

export interface PatternRewriting {
  readonly id: string;
  /** A byte without which the pattern cannot match. */
  readonly trigger?: number;
  /** Global. Its matches are short and never empty. */
  readonly pattern: RegExp;
  /** What a match stands for; `undefined` leaves it. */
  replace(match: string): Buffer | string | undefined;
  /** Fewer pieces than this are chance. */
  readonly least?: number;
}

export function patternRewriting({ id, trigger, pattern, replace, least = 1 }: PatternRewriting): Rewriting {
  return {
    id,
    pieces(view) {
      if (trigger !== undefined && view.bytes.indexOf(trigger) === -1) return [];
      const pieces: Piece[] = [];
      for (const match of view.text.matchAll(pattern)) {
        const stands = replace(match[0]);
        if (stands === undefined) continue;
        pieces.push({ kind: id, start: match.index, end: match.index + match[0].length, stands: Buffer.from(stands) });
      }
      return pieces.length >= least ? pieces : [];
    },
  };
}

/** The view in which every piece is what it stands for; `undefined` when there is none. `kinds` says which were replaced. */
export function rewritten(
  view: View,
  rewritings: readonly Rewriting[],
  depthOf: (kinds: ReadonlySet<string>) => number,
  budget: Budget,
): { readonly view: View; readonly kinds: ReadonlySet<string> } | undefined {
  const pieces = withoutOverlaps(rewritings.flatMap((rewriting) => rewriting.pieces(view)));
  if (pieces.length === 0) return undefined;
  const kinds = new Set(pieces.map(({ kind }) => kind));
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
    if (lineEnd < 0 || start >= lineEnd + NEAR) {
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
  const shifts = { at: Int32Array.from(at), shift: Int32Array.from(shift) };
  const kindsIn = (start: number, end: number) => kindsBetween(pieces, start, end);
  return { view: mappedView(view, kindsIn, Buffer.concat(parts, written), shifts, depthOf(kinds)), kinds };
}

/** In order; where two overlap the one that begins first. */
function withoutOverlaps(pieces: Piece[]): Piece[] {
  pieces.sort((a, b) => a.start - b.start || b.end - a.end);
  let end = 0;
  return pieces.filter((piece) => {
    if (piece.start < end) return false;
    end = piece.end;
    return true;
  });
}

/** Which kinds stand in a range of the parent. */
function kindsBetween(pieces: readonly Piece[], start: number, end: number): string[] {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pieces[middle]?.end ?? 0) <= start) low = middle + 1;
    else high = middle;
  }
  const kinds = new Set<string>();
  for (let i = low; i < pieces.length; i++) {
    const piece = pieces[i];
    if (!piece || piece.start >= end) break;
    kinds.add(piece.kind);
  }
  return [...kinds];
}
