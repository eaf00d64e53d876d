// Takes off what `content-encoding` names (RFC 9110, section 8.4), strictly: content that is not what its header says is read by one
// receiver as it stands, by another as nothing, so there is no saying what it holds.
import zlib from 'node:zlib';
import { IntramurError } from '../core/index.ts';
import { defaultLimits } from '../inspect/index.ts';

/** As `zlib` gives it when asked for `info`. */
type Open = (bytes: Uint8Array, options: { maxOutputLength: number; info: true }) => unknown;

/** By the words of the header, each with the decoder's own name; a `deflate` without the header of zlib is so common that all take it. */
const known: Readonly<Record<string, Readonly<Record<string, Open>>>> = {
  gzip: { gzip: zlib.gunzipSync },
  'x-gzip': { gzip: zlib.gunzipSync },
  deflate: { zlib: zlib.inflateSync, deflate: zlib.inflateRawSync },
  br: { brotli: zlib.brotliDecompressSync },
  zstd: { zstd: zlib.zstdDecompressSync },
};

/** What the values of the header name, outermost first. */
export function codingsIn(values: readonly string[]): string[] {
  const words = values.flatMap((value) => value.split(',')).map((word) => word.trim().toLowerCase());
  return words.filter((word) => word !== '' && word !== 'identity').toReversed();
}

export interface Decoded {
  readonly bytes: Uint8Array;
  /** Outermost first. */
  readonly decoders: readonly string[];
}

/** @throws IntramurError INSPECT_FAILED when the bytes are not coded so, INSPECT_LIMIT when they unfold too far */
export function decoded(bytes: Uint8Array, codings: readonly string[]): Decoded {
  return codings.reduce<Decoded>(
    (outer, coding) => {
      const inner = decodedOnce(outer.bytes, coding);
      return { ...inner, decoders: [...outer.decoders, ...inner.decoders] };
    },
    { bytes, decoders: [] },
  );
}

function decodedOnce(bytes: Uint8Array, coding: string): Decoded {
  const ways = Object.hasOwn(known, coding) ? known[coding] : undefined;
  if (!ways) throw new IntramurError('INSPECT_FAILED', 'the content has a coding that is not known');
  for (const [decoder, open] of Object.entries(ways)) {
    const plain = opened(open, bytes);
    if (plain) return { bytes: plain, decoders: [decoder] };
  }
  throw new IntramurError('INSPECT_FAILED', `the content is not what its header says: ${coding}`);
}

/** `undefined` also when something stands behind it. */
function opened(open: Open, bytes: Uint8Array): Uint8Array | undefined {
  const { maxBytes } = defaultLimits;
  try {
    const result = open(bytes, { maxOutputLength: maxBytes, info: true });
    return isInfo(result) && result.engine.bytesWritten === bytes.length ? result.buffer : undefined;
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ERR_BUFFER_TOO_LARGE')
      throw new IntramurError('INSPECT_LIMIT', `the content unfolds to more than the ${maxBytes} bytes that are inspected`);
    return undefined;
  }
}

function isInfo(result: unknown): result is { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } } {
  return typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result;
}
