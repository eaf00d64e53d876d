// A view is one way to read a payload: the bytes as they are, or what a chain of decoders made of a part of them. Each knows
// where its bytes stand in the input, so that a finding in a decoded view still points at real bytes.
import { type Blocks, blocksOf } from './source/parts.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface View {
  readonly bytes: Buffer;
  /** One character per byte, so that positions in it are positions in `bytes`. Made when first asked for; a large one costs milliseconds. */
  readonly text: string;
  /** Outermost first. */
  readonly decoders: readonly string[];
  /** How many encodings deep; the JSON of the payload itself does not count. */
  readonly depth: number;
  /** True when single characters were replaced: binary data that went through that is no longer what it was. */
  readonly isRewritten: boolean;
  /** Where a range of this view stands in the input. */
  origin(start: number, end: number): Span;
  /** The decoders that were needed to read a range: none where the input holds it literally. */
  decodersOf(start: number, end: number): readonly string[];
  /** How much of each stretch is words that every text has; lexed now unless it was noted before. */
  blocks(): Blocks;
  noteBlocks(blocks: Blocks): void;
}

class ByteView implements View {
  readonly bytes: Buffer;
  readonly decoders: readonly string[];
  readonly depth: number;
  readonly isRewritten: boolean;
  readonly origin: View['origin'];
  readonly decodersOf: View['decodersOf'];
  #text: string | undefined;
  #blocks: Blocks | undefined;

  constructor(
    bytes: Buffer,
    decoders: readonly string[],
    depth: number,
    origin: View['origin'],
    decodersOf: View['decodersOf'] = () => decoders,
    isRewritten = false,
  ) {
    this.bytes = bytes;
    this.decoders = decoders;
    this.depth = depth;
    this.isRewritten = isRewritten;
    this.origin = origin;
    this.decodersOf = decodersOf;
  }

  get text(): string {
    this.#text ??= this.bytes.toString('latin1');
    return this.#text;
  }

  blocks(): Blocks {
    this.#blocks ??= blocksOf(this.bytes);
    return this.#blocks;
  }

  noteBlocks(blocks: Blocks): void {
    this.#blocks = blocks;
  }
}

/** The bytes as they are. `offset`: where they stand in the input, when they are a part of it. */
export function rawView(bytes: Uint8Array, offset = 0): View {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new ByteView(buffer, [], 0, (start, end) => ({ start: start + offset, end: end + offset }));
}

/** A string that belongs to the payload but stands outside its body: it has no offsets, so findings in it are empty ranges at `at`. */
export function outsideView(text: string, at: number): View {
  return new ByteView(Buffer.from(text), [], 0, () => ({ start: at, end: at }));
}

/** A view of a run of `parent` that was decoded as a whole: every finding in it points at the run. */
export function runView(parent: View, decoder: string, bytes: Buffer, run: Span, depth = parent.depth + 1): View {
  const span = parent.origin(run.start, run.end);
  return new ByteView(bytes, [...parent.decodersOf(run.start, run.end), decoder], depth, () => span);
}

/** Where a mapped view departs from its parent: from `at` on, a position plus `shift` is the position in the parent. */
export interface Shifts {
  readonly at: Int32Array;
  readonly shift: Int32Array;
}

/**
 * A view whose bytes mostly are its parent's, with pieces replaced or left out.
 * @param decodersIn which decoders were at work in a range of the parent; none where it is literally what the view holds
 */
export function mappedView(
  parent: View,
  decodersIn: (start: number, end: number) => readonly string[],
  bytes: Buffer,
  shifts: Shifts,
  depth: number,
): View {
  const place = (position: number) => {
    const index = lastAtOrBefore(shifts.at, position);
    return position + (index < 0 ? 0 : (shifts.shift[index] ?? 0));
  };
  return new ByteView(
    bytes,
    [...parent.decoders, ...decodersIn(0, parent.bytes.length)],
    depth,
    (start, end) => parent.origin(place(start), place(end)),
    (start, end) => [...parent.decodersOf(place(start), place(end)), ...decodersIn(place(start), place(end))],
    true,
  );
}

/** Index of the last element <= `value` of an ascending list; -1 when there is none. */
function lastAtOrBefore(list: Int32Array, value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
