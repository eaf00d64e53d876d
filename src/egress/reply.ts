// Replies of `forward`, checked before they are used and pumped without buffering. INVARIANT: a body that ends early or runs over
// its declared length never looks like a whole one to the program.
import { Readable, type Writable } from 'node:stream';
import { type ExchangeReply, IntramurError } from '../core/index.ts';

const connectionFields = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

export interface CheckedReply {
  readonly status: number;
  /** Without fields that concern one connection only, and without `content-length`. */
  readonly rawHeaders: readonly string[];
  /** The declared length of the body. */
  readonly length: number | undefined;
  readonly body: Readable | Uint8Array;
}

/**
 * What came back as a reply that can be sent.
 * @throws IntramurError INTERNAL when it cannot
 */
export function checkReply(reply: unknown): CheckedReply {
  if (!isReply(reply)) throw new IntramurError('INTERNAL', 'a reply that is none');
  const { status, rawHeaders, body } = reply;
  const kept: string[] = [];
  let length = body instanceof Uint8Array ? body.byteLength : undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new IntramurError('INTERNAL', 'a reply with a header that cannot be sent');
    }
    const lower = name.toLowerCase();
    if (lower === 'content-length') length ??= declaredLength(value);
    // A 426 is about the connection, so its `upgrade` belongs to the message.
    else if (!connectionFields.has(lower) || (lower === 'upgrade' && status === 426)) kept.push(name, value);
  }
  return { status, rawHeaders: kept, length, body };
}

function isReply(reply: unknown): reply is ExchangeReply {
  if (typeof reply !== 'object' || reply === null) return false;
  const { status, rawHeaders, body } = reply as Partial<Record<keyof ExchangeReply, unknown>>;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) return false;
  if (!Array.isArray(rawHeaders) || rawHeaders.length % 2 !== 0 || !rawHeaders.every((text) => typeof text === 'string')) return false;
  return body instanceof Uint8Array || body instanceof Readable;
}

function declaredLength(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new IntramurError('INTERNAL', 'a reply with a length that is none');
  return Number(value);
}

/** Whether a reply to this method with this status has a body at all (RFC 9112 section 6.3). */
export function hasBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

/** Lets go of a body that nobody will read. */
export function discard(reply: { readonly body?: unknown }): void {
  if (!(reply.body instanceof Readable)) return;
  reply.body.on('error', () => {});
  reply.body.destroy();
}

/**
 * Moves the body to the program as it comes, at the program's pace, and ends `sink` only after a whole body.
 * @throws when the body broke off, ran over `length`, or the program went away; `sink` is then not ended
 */
export async function pump(body: Readable, sink: Writable, length: number | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let moved = 0;
  const onData = (chunk: Uint8Array): void => {
    moved += chunk.byteLength;
    if (length !== undefined && moved > length) return reject(new Error('the body is longer than declared'));
    if (!sink.write(chunk)) body.pause();
  };
  const onDrain = (): void => void body.resume();
  const onGone = (): void => reject(new Error('the program went away'));
  body.once('end', resolve);
  body.once('error', reject);
  body.once('close', () => reject(new Error('the body broke off')));
  sink.on('drain', onDrain).once('close', onGone).once('error', onGone);
  body.on('data', onData);
  try {
    if (sink.destroyed) onGone();
    await promise;
    if (length !== undefined && moved !== length) throw new Error('the body is shorter than declared');
    sink.end();
  } finally {
    body.off('data', onData);
    sink.off('drain', onDrain).off('close', onGone).off('error', onGone);
    discard({ body });
  }
}
