// Encodings that replace short pieces of a text in place. All kinds are replaced in one view, because they are mixed in one text;
// only the lines that hold a piece, and the few between, become part of it.
import type { Budget } from '../limits.ts';
import { mappedView, type Span, type View } from '../view.ts';
import { isPlainEscape } from './escapes.ts';
import { Numbers } from './numbers.ts';

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
/** Lines between two that hold a piece come along when they are few: what is said runs over them. */
const NEAR = 1024;

/** Pieces that are read before the time is checked again. */
const AT_ONCE = 4096;

/** What a piece stands for; at most a few bytes. */
export interface Stand {
  readonly bytes: Uint8Array;
  length: number;
}

export interface Rewriting {
  readonly id: string;
  /** Bytes that a piece may begin with. No other rewriting has them. */
  readonly begins: readonly number[];
  /** Length of the piece that begins at `at`, 0 when there is none; what it stands for is written to `stand`. INVARIANT: bounded work. */
  read(bytes: Uint8Array, at: number, stand: Stand): number;
  /** Fewer pieces than this in a view are chance. */
  readonly least?: number;
}

/** The pieces of a view, in order and without overlaps. */
interface Pieces {
  readonly count: number;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Position of the rewriting. */
  readonly kind: Int32Array;
  /** What each stands for: in `stands`, from here to where the next one's begins. */
  readonly stand: Int32Array;
  readonly stands: Uint8Array;
}

const scratch = { start: new Numbers(), end: new Numbers(), kind: new Numbers(), stand: new Numbers() };
const lists = Object.values(scratch);
const shifts = { at: new Numbers(), shift: new Numbers() };
const stand: Stand = { bytes: new Uint8Array(64), length: 0 };

export interface Rewritten {
  readonly view: View;
  readonly kinds: ReadonlySet<string>;
  /** Nothing but quoting was taken off, which a reader of code sees through anyway. */
  readonly isPlain: boolean;
}

/**
 * The lines of a view in which every piece is what it stands for: those that only lost backslashes apart from the others.
 * @param places where a piece may begin, in order
 */
export function rewritten(
  view: View,
  places: Int32Array,
  rewritings: readonly Rewriting[],
  depthOf: (kinds: ReadonlySet<string>) => number,
  budget: Budget,
): Rewritten[] {
  if (places.length === 0) return [];
  const pieces = piecesOf(view.bytes, places, rewritings, budget);
  if (pieces.count === 0) return [];
  const { plain, others } = stretches(view.bytes, pieces, rewritings);
  return [
    { ranges: others, isPlain: false },
    { ranges: plain, isPlain: true },
  ]
    .filter(({ ranges }) => ranges.length > 0)
    .map(({ ranges, isPlain }) => {
      const kinds = new Set(ranges.flatMap(({ first, last }) => kindsFrom(pieces, first, last, rewritings)));
      return { view: replaced(view, pieces, ranges, depthOf(kinds), rewritings, budget), kinds, isPlain };
    });
}

let known: { of: readonly Rewriting[]; byFirst: Int8Array } | undefined;

/** By the byte that a piece begins with: whose it is. They are always the same. */
function firstBytes(rewritings: readonly Rewriting[]): Int8Array {
  if (known?.of === rewritings) return known.byFirst;
  const byFirst = new Int8Array(256).fill(-1);
  rewritings.forEach(({ begins }, i) => {
    for (const byte of begins) byFirst[byte] = i;
  });
  known = { of: rewritings, byFirst };
  return byFirst;
}

function piecesOf(bytes: Uint8Array, places: Int32Array, rewritings: readonly Rewriting[], budget: Budget): Pieces {
  const { start, end, kind, stand: at } = scratch;
  for (const list of lists) list.clear();
  const byFirst = firstBytes(rewritings);
  const counts = rewritings.map(() => 0);
  let stands = new Uint8Array(256);
  let stood = 0;
  let free = 0;
  for (let p = 0; p < places.length; p++) {
    const place = places[p] ?? 0;
    if (place < free) continue;
    const index = byFirst[bytes[place] ?? 0] ?? -1;
    stand.length = 0;
    const length = rewritings[index]?.read(bytes, place, stand) ?? 0;
    if (length === 0) continue;
    counts[index] = (counts[index] ?? 0) + 1;
    if ((start.length & (AT_ONCE - 1)) === 0) budget.checkTime();
    start.push(place);
    end.push(place + length);
    kind.push(index);
    at.push(stood);
    if (stood + stand.length > stands.length) {
      const larger = new Uint8Array(4 * stands.length);
      larger.set(stands);
      stands = larger;
    }
    for (let i = 0; i < stand.length; i++) stands[stood++] = stand.bytes[i] ?? 0;
    free = place + length;
  }
  at.push(stood);
  const rare = rewritings.map(({ least = 1 }, i) => (counts[i] ?? 0) < least);
  // Kept until the view is gone, so copied.
  const all = { start: start.copy(), end: end.copy(), kind: kind.copy(), stand: at.copy() };
  return { count: start.length, ...all, kind: all.kind.map((index) => (rare[index] ? -1 : index)), stands };
}

/** Pieces `first` to `last` with what stands around them. */
interface Stretch extends Span {
  readonly first: number;
  readonly last: number;
}

/** The lines that hold a piece, joined where they are near, told apart by what they need. */
function stretches(bytes: Uint8Array, pieces: Pieces, rewritings: readonly Rewriting[]): { plain: Stretch[]; others: Stretch[] } {
  const plain: Stretch[] = [];
  const others: Stretch[] = [];
  const isEscape = (i: number) => rewritings[pieces.kind[i] ?? -1]?.begins[0] === BACKSLASH;
  for (let i = 0; i < pieces.count; ) {
    const begin = pieces.start[i] ?? 0;
    const start = begin === 0 ? 0 : bytes.lastIndexOf(NEWLINE, begin - 1) + 1;
    let last = i;
    let end = lineEnd(bytes, pieces.end[i] ?? 0);
    while (last + 1 < pieces.count && (pieces.start[last + 1] ?? 0) < end) {
      last += 1;
      if ((pieces.end[last] ?? 0) > end) end = lineEnd(bytes, pieces.end[last] ?? 0);
    }
    let breaks = 0;
    let isPlain = true;
    let isRare = true;
    for (let j = i; j <= last; j++) {
      const place = pieces.start[j] ?? 0;
      if (pieces.kind[j] === -1) continue;
      isRare = false;
      if (!isEscape(j) || !isPlainEscape(bytes, place)) isPlain = false;
      else if (bytes[place + 1] === 0x6e) breaks += 1;
    }
    // Two line breaks in one line: a text of its own that was put into a string.
    if (!isRare) add(isPlain && breaks < 2 ? plain : others, { start, end, first: i, last }, isPlain && breaks < 2 ? 1 : NEAR);
    i = last + 1;
  }
  let beside = 0;
  const alone = plain.filter(({ start, end }) => {
    while ((others[beside]?.end ?? Number.POSITIVE_INFINITY) < end) beside += 1;
    return start < (others[beside]?.start ?? Number.POSITIVE_INFINITY);
  });
  return { plain: alone, others };
}

function add(list: Stretch[], stretch: Stretch, near: number): void {
  const before = list.at(-1);
  if (before && stretch.start <= before.end + near) list[list.length - 1] = { ...stretch, start: before.start, first: before.first };
  else list.push(stretch);
}

function lineEnd(bytes: Uint8Array, from: number): number {
  const found = bytes.indexOf(NEWLINE, from);
  return found === -1 ? bytes.length : found;
}

function replaced(
  view: View,
  pieces: Pieces,
  ranges: readonly Stretch[],
  depth: number,
  rewritings: readonly Rewriting[],
  budget: Budget,
): View {
  const { bytes } = view;
  // A letter may unfold to more bytes than it has, so what the pieces stand for is counted on top.
  const size = ranges.reduce(
    (sum, { start, end, first, last }) => sum + end - start + 1 + (pieces.stand[last + 1] ?? 0) - (pieces.stand[first] ?? 0),
    0,
  );
  budget.chargeView(size);
  const out = Buffer.allocUnsafe(size);
  const { at, shift } = shifts;
  at.clear();
  shift.clear();
  let written = 0;
  let read = 0;
  const copyTo = (end: number) => {
    written += bytes.copy(out, written, read, end);
    read = end;
  };
  const jumpTo = (position: number) => {
    read = position;
    at.push(written);
    shift.push(position - written);
  };
  for (const { start, end, first, last } of ranges) {
    if (written > 0) out[written++] = NEWLINE;
    jumpTo(start);
    for (let i = first; i <= last; i++) {
      if ((i & (AT_ONCE - 1)) === 0) budget.checkTime();
      if (pieces.kind[i] === -1) continue;
      copyTo(pieces.start[i] ?? 0);
      for (let j = pieces.stand[i] ?? 0; j < (pieces.stand[i + 1] ?? 0); j++) out[written++] = pieces.stands[j] ?? 0;
      jumpTo(pieces.end[i] ?? 0);
    }
    copyTo(Math.max(read, end));
  }
  const kindsIn = (start: number, end: number) => kindsBetween(pieces, start, end, rewritings);
  return mappedView(view, kindsIn, out.subarray(0, written), { at: at.copy(), shift: shift.copy() }, depth);
}

function kindsFrom(pieces: Pieces, first: number, last: number, rewritings: readonly Rewriting[]): string[] {
  const kinds = new Set<number>();
  for (let i = first; i <= last; i++) kinds.add(pieces.kind[i] ?? -1);
  kinds.delete(-1);
  return [...kinds].flatMap((kind) => rewritings[kind]?.id ?? []);
}

/** Which kinds stand in a range of the parent. */
function kindsBetween(pieces: Pieces, start: number, end: number, rewritings: readonly Rewriting[]): string[] {
  let low = 0;
  let high = pieces.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pieces.end[middle] ?? 0) <= start) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while (last < pieces.count && (pieces.start[last] ?? 0) < end) last += 1;
  return kindsFrom(pieces, low, last - 1, rewritings);
}
