// Packed streams within something else: a file in a form that is uploaded, a frame of a protocol, a literal in code whose escapes were taken
// off, a string of JSON with a character for each byte.
import zlib from 'node:zlib';
import type { Budget } from '../limits.ts';
import { runView, type View } from '../view.ts';
import { inflate } from './compressed.ts';
import type { Decoder } from './decoder.ts';
import { containerKind } from './readable.ts';

const GZIP = 0x1f;
/** Marks of streams that are none: with more of them the rest is left as what nobody can read. */
const MOST_TRIES = 64;
/** No byte of UTF-8, so no text is searched twice. */
const LAST_OF_ZSTD = 0xfd;
const THIRD_OF_ZIP = 0x03;

const FIRST = { zstd: 0x28, zip: 0x50 } as const;

export const embedded: Decoder = {
  id: 'embedded',
  *decode(view, budget) {
    // What begins as one is opened as that, with what stands behind it.
    if (containerKind(view.bytes) !== undefined) return;
    yield* gzips(view, budget);
    yield* marked(view, LAST_OF_ZSTD, 3, 'zstd', budget);
    yield* marked(view, THIRD_OF_ZIP, 2, 'zip', budget);
  },
};

function* gzips(view: View, budget: Budget): Generator<View> {
  const { bytes } = view;
  let tries = 0;
  for (let at = bytes.indexOf(GZIP); at !== -1; at = bytes.indexOf(GZIP, at + 1)) {
    const isWide = bytes[at + 1] === 0xc2;
    if (bytes[at + (isWide ? 2 : 1)] !== 0x8b || bytes[at + (isWide ? 3 : 2)] !== 0x08) continue;
    budget.checkTime();
    if (++tries > MOST_TRIES) {
      budget.noteOpaque();
      return;
    }
    const packed = isWide ? narrowed(bytes, at) : bytes.subarray(at);
    const header = endOfHeader(packed);
    // Without its header it ends where it ends, whatever follows.
    const opened = inflate(zlib.inflateRawSync, packed.subarray(header), budget, { flush: zlib.constants.Z_SYNC_FLUSH });
    if (!opened || opened.plain.length === 0) continue;
    budget.chargeView(opened.plain.length);
    const end = isWide ? bytes.length : at + header + opened.used;
    yield runView(view, 'gzip', opened.plain, { start: at, end });
    tries = 0;
    at = end - 1;
  }
}

/** Of a gzip stream (RFC 1952, section 2.3). */
function endOfHeader(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8);
  for (const flag of [8, 16]) if (flags & flag) at = bytes.indexOf(0, at) + 1;
  return flags & 2 ? at + 2 : at;
}

/** The first stream or archive with its mark: from there on it is a view like any other. */
function* marked(view: View, byte: number, offset: number, kind: 'zstd' | 'zip', budget: Budget): Generator<View> {
  const { bytes } = view;
  for (let at = bytes.indexOf(byte, offset + 1); at !== -1; at = bytes.indexOf(byte, at + 1)) {
    const start = at - offset;
    if (bytes[start] !== FIRST[kind] || containerKind(bytes.subarray(start, start + 4)) !== kind) continue;
    budget.chargeView(bytes.length - start);
    yield runView(view, 'embedded', bytes.subarray(start), { start, end: bytes.length }, view.depth);
    return;
  }
}

/** Characters up to U+00FF as the bytes that they stand for, from `start` to the first that stands for none. */
function narrowed(bytes: Buffer, start: number): Buffer {
  const out = Buffer.allocUnsafe(bytes.length - start);
  let written = 0;
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x80) out[written++] = byte;
    else if (byte === 0xc2 || byte === 0xc3) out[written++] = ((byte & 3) << 6) | ((bytes[++i] ?? 0) & 0x3f);
    else break;
  }
  return out.subarray(0, written);
}
