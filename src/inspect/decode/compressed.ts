// Compressed data (gzip, zlib, raw deflate, zstd, brotli) and single-byte masks. Output is bounded by the budget while it is
// produced, so a bomb is refused before it unfolds.
import zlib from 'node:zlib';
import { IntramurError } from '../../core/index.ts';
import { type Budget, exceeded } from '../limits.ts';
import { runView, type View } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { CONVINCING, commonShare } from './disguise.ts';
import { containerKind, isPicture, isText, utf16Kind } from './readable.ts';

type Inflate = (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;

const byKind: Readonly<Record<'gzip' | 'zlib' | 'zstd', Inflate>> = {
  // SYNC_FLUSH: what a cut-off stream still yields is looked at.
  gzip: (bytes, options) => zlib.gunzipSync(bytes, { ...options, finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  zlib: (bytes, options) => zlib.inflateSync(bytes, { ...options, finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  zstd: (bytes, options) => zlib.zstdDecompressSync(bytes, options),
};

/** Without a header of their own: tried, and believed only when text comes out. */
const headerless: readonly (readonly [string, Inflate])[] = [
  ['brotli', (bytes, options) => zlib.brotliDecompressSync(bytes, options)],
  ['deflate', (bytes, options) => zlib.inflateRawSync(bytes, options)],
];

export const compressed: Decoder = {
  id: 'compressed',
  *decode(view, budget) {
    const { bytes } = view;
    const kind = containerKind(bytes);
    if (kind === 'zip' || kind === 'tar' || isPicture(bytes) || utf16Kind(bytes)) return;
    // Only what was decoded already can be a mask's output: a payload that came as text is read as text.
    const mayBeMasked = view.depth > 0 && view.depth < budget.limits.maxDepth && !(isText(bytes) && readsWell(view));
    const unmasked = mayBeMasked ? unmask(bytes) : undefined;
    if (unmasked) yield whole(view, 'xor', unmasked, budget);
    if (isText(bytes)) return;
    if (kind) {
      const plain = inflate(byKind[kind], bytes, budget);
      if (plain) {
        yield whole(view, kind, plain, budget);
        return;
      }
      // Two bytes of noise look like zlib often enough; the longer marks do not come by chance.
      if (kind !== 'zlib' && !view.isRewritten) throw new IntramurError('INSPECT_FAILED', `a ${kind} stream is broken`);
    }
    for (const [id, open] of headerless) {
      const plain = inflate(open, bytes, budget);
      if (!plain || plain.length < 16 || !isText(plain)) continue;
      yield whole(view, id, plain, budget);
      return;
    }
  },
};

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

/** `undefined` when it is not such a stream; throws INSPECT_LIMIT when it unfolds beyond what the budget has left. */
export function inflate(open: Inflate, bytes: Buffer, budget: Budget): Buffer | undefined {
  try {
    return open(bytes, { maxOutputLength: Math.max(1, budget.viewBytesLeft) });
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ERR_BUFFER_TOO_LARGE') {
      throw exceeded(`a compressed part unfolds to more than the ${budget.viewBytesLeft} bytes that may still be looked at`);
    }
    return undefined;
  }
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
