// ZIP (APPNOTE 6.3): local headers with their members, then a directory of them. Some read the one and some the other, so both are
// followed.
import zlib from 'node:zlib';
import { IntramurError } from '../../core/index.ts';
import type { Budget } from '../limits.ts';
import type { Span, View } from '../view.ts';
import type { Part } from './archive.ts';
import { inflate, noteCut } from './compressed.ts';

const LOCAL = 'PK\x03\x04';
const DESCRIPTOR = 'PK\x07\x08';
const ENTRY = 'PK\x01\x02';
const END = 'PK\x05\x06';
/** Fixed parts of the records behind the members that hold nothing but numbers. */
const numbersOnly: Readonly<Record<string, number>> = { [DESCRIPTOR]: 16, [END]: 22, 'PK\x06\x06': 56, 'PK\x06\x07': 20 };
const marks = [LOCAL, ENTRY, ...Object.keys(numbersOnly)];

const UNKNOWN = 0xffffffff;
/** Times and owners; more may be anything. */
const MOST_EXTRA = 64;
/** Shorter ones are seen where they stand. */
const LEAST_EXTRA = 16;
const usualExtra: ReadonlySet<number> = new Set([0x0001, 0x000a, 0x5455, 0x7855, 0x7875]);

/** INVARIANT: nothing in an archive stays unseen, so what cannot be opened refuses the whole payload, and what is no part is a gap. */
export function* zipParts(view: View, budget: Budget): Generator<Part> {
  const { bytes, text } = view;
  const listed = directoryOf(bytes, text);
  const seen = new Set<number>();
  for (let at = 0; at !== -1; ) {
    const part = partAt(view, at, listed, budget);
    if (part && text.startsWith(LOCAL, at)) {
      seen.add(at);
      yield* alsoAsListed(view, part, listed.get(at));
    }
    if (part) {
      yield part;
      yield* extrasOf(view, at);
    }
    at = nextMark(text, part ? Math.max(part.span.end, at + 1) : at + 1);
  }
  for (const [at, size] of listed) {
    if (seen.has(at) || !text.startsWith(LOCAL, at)) continue;
    const part = localAt(view, at, new Map([[at, size]]), budget);
    if (part) yield part;
  }
}

/** By where its local header is said to be: the size of each member. Empty when the archive does not end in a directory. */
function directoryOf(bytes: Buffer, text: string): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  const last = text.lastIndexOf(END);
  if (last === -1 || last + 22 > bytes.length) return sizes;
  for (let at = bytes.readUInt32LE(last + 16); at + 46 <= last && text.startsWith(ENTRY, at); ) {
    sizes.set(bytes.readUInt32LE(at + 42), bytes.readUInt32LE(at + 20));
    at += 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return sizes;
}

function nextMark(text: string, from: number): number {
  for (let at = text.indexOf('PK', from); at !== -1; at = text.indexOf('PK', at + 1))
    if (text.charCodeAt(at + 2) < 8 && marks.includes(text.slice(at, at + 4))) return at;
  return -1;
}

function partAt(view: View, at: number, listed: ReadonlyMap<number, number>, budget: Budget): Part | undefined {
  const mark = view.text.slice(at, at + 4);
  if (mark === LOCAL) return localAt(view, at, listed, budget);
  if (mark === ENTRY) return entryAt(view, at);
  const end = at + (numbersOnly[mark] ?? 0);
  if (end > view.bytes.length) return undefined;
  return { names: [], content: undefined, span: { start: at, end }, read: [{ start: at, end }] };
}

/** An entry of the directory. Its comment and what else it holds are read as gaps. */
function entryAt({ bytes, text }: View, at: number): Part | undefined {
  if (at + 46 > bytes.length) return undefined;
  const nameEnd = Math.min(bytes.length, at + 46 + bytes.readUInt16LE(at + 28));
  const extraEnd = Math.min(bytes.length, nameEnd + bytes.readUInt16LE(at + 30));
  const end = isUsualExtra(bytes, nameEnd, extraEnd) ? extraEnd : nameEnd;
  return { names: [text.slice(at + 46, nameEnd)], content: undefined, span: { start: at, end }, read: [{ start: at, end }] };
}

function localAt(view: View, at: number, listed: ReadonlyMap<number, number>, budget: Budget): Part | undefined {
  const { bytes, text } = view;
  if (at + 30 > bytes.length) return undefined;
  const flags = bytes.readUInt16LE(at + 6);
  const method = bytes.readUInt16LE(at + 8);
  const nameEnd = Math.min(bytes.length, at + 30 + bytes.readUInt16LE(at + 26));
  const start = Math.min(bytes.length, nameEnd + bytes.readUInt16LE(at + 28));
  if (flags & 1) throw new IntramurError('INSPECT_FAILED', 'a member of a ZIP archive is encrypted');
  // What is packed says by itself where it ends.
  const size = sizeOf(bytes, at, nameEnd, start) ?? (method === 0 ? listed.get(at) : undefined);
  const known = size === undefined || size === UNKNOWN ? undefined : Math.min(bytes.length, start + size);
  const opened = unpack(method, bytes.subarray(start, known ?? bytes.length), view, budget);
  if (!opened) throw new IntramurError('INSPECT_FAILED', 'a member of a ZIP archive cannot be unpacked');
  // Of what is stored nobody knows: it is read to the end of everything, and so is what may be the next record.
  const end = known === undefined && method === 0 ? Math.max(start, nextMark(text, start)) : start + opened.used;
  const head = { start: at, end: isUsualExtra(bytes, nameEnd, start) ? start : nameEnd };
  return {
    names: [text.slice(at + 30, nameEnd)],
    content: opened.plain,
    span: { start: at, end },
    read: [head, { start, end }],
  };
}

/** In the header itself, or where it does not fit there in what is added to it; `undefined` when it stands behind the member. */
function sizeOf(bytes: Buffer, at: number, extra: number, extraEnd: number): number | undefined {
  const size = bytes.readUInt32LE(at + 18);
  if (size !== UNKNOWN) return bytes.readUInt16LE(at + 6) & 8 && size === 0 ? undefined : size;
  for (const { id, start, end } of recordsOf(bytes, extra, extraEnd))
    if (id === 1 && end - start >= 16) return Number(bytes.readBigUInt64LE(start + 8));
  return undefined;
}

/** The directory may give what is stored a greater size than its header does: then it is read by that size too. */
function* alsoAsListed({ bytes }: View, { span, read }: Part, size: number | undefined): Generator<Part> {
  const { start = 0, end = 0 } = read.at(-1) ?? {};
  if (size === undefined || size === UNKNOWN || start + size <= end || bytes.readUInt16LE(span.start + 8) !== 0) return;
  yield { names: [], content: bytes.subarray(start, start + size), span, read: [] };
}

function unpack(method: number, data: Buffer, view: View, budget: Budget): { plain: Buffer; used: number } | undefined {
  if (method === 0) return { plain: data, used: data.length };
  if (method !== 8) return undefined;
  const opened = inflate(zlib.inflateRawSync, data, budget, { flush: zlib.constants.Z_SYNC_FLUSH });
  if (opened?.isCut) noteCut(view, 'zip', true, budget);
  return opened;
}

interface ExtraRecord extends Span {
  readonly id: number;
}

function* recordsOf(bytes: Buffer, from: number, to: number): Generator<ExtraRecord> {
  for (let at = from; at + 4 <= to; ) {
    const start = at + 4;
    const end = start + bytes.readUInt16LE(at + 2);
    if (end > to) return;
    yield { id: bytes.readUInt16LE(at), start, end };
    at = end;
  }
}

/** Each record of what is added to a header or an entry, besides the whole of it: there it has a head before it. */
function* extrasOf({ bytes, text }: View, at: number): Generator<Part> {
  const isLocal = text.startsWith(LOCAL, at);
  if (!isLocal && !text.startsWith(ENTRY, at)) return;
  const lengths = at + (isLocal ? 26 : 28);
  const from = at + (isLocal ? 30 : 46) + bytes.readUInt16LE(lengths);
  const to = Math.min(bytes.length, from + bytes.readUInt16LE(lengths + 2));
  if (isUsualExtra(bytes, from, to)) return;
  for (const { start, end } of recordsOf(bytes, from, to))
    if (end - start >= LEAST_EXTRA) yield { names: [], content: bytes.subarray(start, end), span: { start, end }, read: [] };
}

function isUsualExtra(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > MOST_EXTRA) return false;
  let read = from;
  for (const { id, end } of recordsOf(bytes, from, to)) {
    if (!usualExtra.has(id)) return false;
    read = end;
  }
  return read === to;
}
