// Compressed data (gzip, zlib, raw deflate, zstd, brotli) and single-byte masks. Output is bounded by the budget while it is
// produced, so a bomb is refused before it unfolds.
import zlib from 'node:zlib';
import { IntramurError } from '../../core/index.ts';
import type { Budget } from '../limits.ts';
import { runView, type Span, type View } from '../view.ts';
import { CONVINCING, commonShare } from './common-words.ts';
import type { Decoder } from './decoder.ts';
import { containerKind, isPicture, isText, utf16Kind } from './readable.ts';

/** As `zlib` gives it when asked for `info`. */
type Inflate = (bytes: Buffer, options: { maxOutputLength: number; info: true; finishFlush?: number }) => unknown;

type Kind = 'gzip' | 'zlib' | 'zstd';

const byKind: Readonly<Record<Kind, { readonly open: Inflate; readonly flush: number }>> = {
  gzip: { open: zlib.gunzipSync, flush: zlib.constants.Z_SYNC_FLUSH },
  zlib: { open: zlib.inflateSync, flush: zlib.constants.Z_SYNC_FLUSH },
  zstd: { open: zlib.zstdDecompressSync, flush: zlib.constants.ZSTD_e_flush },
};

/** Without a header of their own: tried, and believed only when text comes out. */
const headerless: readonly (readonly [string, Inflate])[] = [
  ['brotli', zlib.brotliDecompressSync],
  ['deflate', zlib.inflateRawSync],
];

export const compressed: Decoder = {
  id: 'compressed',
  readsAll: true,
  *decode(view, budget) {
    const { bytes } = view;
    const kind = containerKind(bytes);
    if (kind === 'zip' || kind === 'tar' || isPicture(bytes) || utf16Kind(bytes)) return;
    // Only what was decoded already can be a mask's output: a payload that came as text is read as text.
    const mayBeMasked = view.depth > 0 && view.depth + 1 <= budget.limits.maxDepth && !(isText(bytes) && readsWell(view));
    const unmasked = mayBeMasked ? unmask(bytes) : undefined;
    if (unmasked) yield whole(view, 'xor', unmasked, budget);
    // Also of what begins as text: the header of gzip may hold a long name. But text may begin as zlib does, with "x^".
    const opened = kind && streamsOf(kind, bytes, budget);
    if (opened && !(opened.isCut && kind === 'zlib' && isText(bytes))) {
      if (opened.isCut) noteCut(view, kind, kind !== 'zlib' || isText(opened.plain), budget);
      yield whole(view, kind, opened.plain, budget);
      yield* behind(view, kind, opened.used, budget);
      yield* fieldsOf(view, kind, opened.fields, budget);
      return;
    }
    if (isText(bytes)) return;
    // Two bytes of noise look like zlib often enough; the longer marks do not come by chance.
    if (kind && kind !== 'zlib' && !view.isRewritten) throw new IntramurError('INSPECT_FAILED', `a ${kind} stream is broken`);
    for (const [id, open] of headerless) {
      const headless = inflate(open, bytes, budget);
      if (!headless || headless.plain.length < 16 || !isText(headless.plain)) continue;
      yield whole(view, id, headless.plain, budget);
      yield* behind(view, id, headless.used, budget);
      return;
    }
  },
};

/** Streams of one kind that follow one another are one, as those who unpack them see it. */
function streamsOf(kind: Kind, bytes: Buffer, budget: Budget): Streams | undefined {
  const { open, flush } = byKind[kind];
  const plains: Buffer[] = [];
  const fields: Span[] = [];
  let used = 0;
  let held = 0;
  let isCut = false;
  while (used < bytes.length && !isCut) {
    budget.checkTime();
    const rest = bytes.subarray(used);
    const next = containerKind(rest) === kind ? inflate(open, rest, budget, { flush, held }) : undefined;
    if (!next) break;
    plains.push(next.plain);
    if (kind === 'gzip') fields.push(...gzipFields(bytes, used));
    held += next.plain.length;
    used += next.used;
    isCut = next.isCut;
  }
  return used === 0 ? undefined : { plain: Buffer.concat(plains), used, isCut, fields };
}

/**
 * A payload that is a stream and ends too early is broken: who unpacks it gets less than was sent, or somebody else has the rest. A run
 * inside of something else is cut by whoever quotes it, so there it is only opaque.
 * @param isSure it is none by chance
 */
export function noteCut(view: View, kind: string, isSure: boolean, budget: Budget): void {
  const isPayload = view.decoders.length === 0 && !view.isRewritten;
  if (isPayload && isSure) budget.noteBroken(`a ${kind} stream breaks off`);
  else if (isPayload || isSure) budget.noteOpaque();
}

/** It has the words that every text has: under a mask it would have none. The words were counted already, for its fingerprints. */
function readsWell(view: View): boolean {
  const { words, common } = view.blocks();
  const sum = (list: readonly number[]) => list.reduce((total, count) => total + count, 0);
  return sum(words) >= LEAST_COUNTED && sum(common) >= CONVINCING * sum(words);
}

const LEAST_COUNTED = 40;

function whole(view: View, id: string, bytes: Buffer, budget: Budget): View {
  budget.chargeView(bytes.length);
  return runView(view, id, bytes, { start: 0, end: view.bytes.length });
}

/** What stands behind a stream is no part of it, and may be anything, unless it is padding. */
function* behind(view: View, id: string, start: number, budget: Budget): Generator<View> {
  const bytes = view.bytes.subarray(start);
  if (bytes.every((byte) => byte === 0)) return;
  budget.chargeView(bytes.length);
  yield runView(view, id, bytes, { start, end: view.bytes.length });
}

/** What the headers of streams hold besides numbers. */
function* fieldsOf(view: View, id: string, fields: readonly Span[], budget: Budget): Generator<View> {
  for (const { start, end } of fields) {
    if (end - start < LEAST_FIELD) continue;
    budget.chargeView(end - start);
    yield runView(view, id, view.bytes.subarray(start, end), { start, end });
  }
}

/** Shorter ones are seen where they stand, and hold nothing in another encoding. */
const LEAST_FIELD = 16;

/** Of a gzip header (RFC 1952): what is added to it, a name and a comment. */
function gzipFields(bytes: Buffer, start: number): Span[] {
  const flags = bytes[start + 3] ?? 0;
  const fields: Span[] = [];
  let at = start + 10;
  if (flags & 4) {
    const end = Math.min(bytes.length, at + 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8));
    fields.push({ start: at + 2, end });
    at = end;
  }
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end === -1) break;
    fields.push({ start: at, end });
    at = end + 1;
  }
  return fields;
}

interface Streams extends Opened {
  readonly fields: readonly Span[];
}

export interface Opened {
  readonly plain: Buffer;
  /** So many bytes of the input belong to it. */
  readonly used: number;
  /** It ends before it is over. */
  readonly isCut: boolean;
}

interface OfCut {
  /** What makes `open` give what a stream that breaks off still yields. */
  readonly flush: number;
  /** So many bytes of the budget are used up, though not charged yet. */
  readonly held?: number;
}

/**
 * `undefined` when it is not such a stream; throws INSPECT_LIMIT when it unfolds beyond what the budget has left.
 * @param cut left out: what breaks off is no stream
 */
export function inflate(open: Inflate, bytes: Buffer, budget: Budget, cut?: OfCut): Opened | undefined {
  const left = budget.viewBytesLeft - (cut?.held ?? 0);
  const options = { maxOutputLength: Math.max(1, left), info: true } as const;
  try {
    return openedOf(open(bytes, options), false);
  } catch (fault) {
    if (!breaksOff(fault, left, budget) || !cut) return undefined;
  }
  try {
    return openedOf(open(bytes, { ...options, finishFlush: cut.flush }), true);
  } catch (fault) {
    breaksOff(fault, left, budget);
    return undefined;
  }
}

/** Throws when it did not end before the limit did. */
function breaksOff(fault: unknown, left: number, budget: Budget): boolean {
  const code = fault instanceof Error && 'code' in fault ? fault.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE')
    throw budget.spent(`a compressed part unfolds to more than the ${left} bytes that may still be looked at`);
  return code === 'Z_BUF_ERROR';
}

function openedOf(result: unknown, isCut: boolean): Opened | undefined {
  return isInfo(result) ? { plain: result.buffer, used: result.engine.bytesWritten, isCut } : undefined;
}

function isInfo(result: unknown): result is { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } } {
  return typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result;
}

const LEAST_MASKED = 64;
/** Of any text the commonest byte, a space or an `e`, is more than one in so many. */
const COMMONEST = 20;

/** Text under a one-byte XOR mask: its commonest byte is then a masked space or `e`. */
function unmask(bytes: Buffer): Buffer | undefined {
  if (bytes.length < LEAST_MASKED) return undefined;
  const counts = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  let commonest = 0;
  for (let byte = 1; byte < 256; byte++) if ((counts[byte] ?? 0) > (counts[commonest] ?? 0)) commonest = byte;
  if ((counts[commonest] ?? 0) * COMMONEST < bytes.length) return undefined;
  for (const plain of [0x20, 0x65]) {
    const mask = commonest ^ plain;
    if (mask === 0) continue;
    if (!isText(masked(bytes.subarray(0, SAMPLE), mask))) continue;
    const out = masked(bytes, mask);
    if ((commonShare(out) ?? 0) >= CONVINCING) return out;
  }
  return undefined;
}

const SAMPLE = 512;

function masked(bytes: Buffer, mask: number): Buffer {
  const out = Buffer.allocUnsafe(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = (bytes[i] ?? 0) ^ mask;
  return out;
}
