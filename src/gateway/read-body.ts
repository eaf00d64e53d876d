// The whole body of a call, because nothing may leave before all of it was looked at. Bounded in size and in patience.
import type { Readable } from 'node:stream';
import { IntramurError } from '../core/index.ts';
import type { Departure } from './departure.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** Longest pause of the sender: a caller that drips bytes holds memory and gets nothing for it. */
  readonly idleMs: number;
  /** Longest time for the whole body. */
  readonly totalMs: number;
}

/** @param hold false when the gateway as a whole cannot hold so many more bytes */
export function readBody(body: Readable, limits: BodyLimits, hold: (bytes: number) => boolean, signal?: Departure): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let isOver = false;
    const isDone = (): boolean => {
      if (isOver) return true;
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onCut);
      return false;
    };
    const fail = (fault: IntramurError): void => {
      if (isDone()) return;
      chunks.length = 0;
      // The rest is read and dropped, so that the caller gets to read the refusal.
      body.resume();
      reject(fault);
    };
    const onCut = (): void => fail(new IntramurError('DIALECT_INVALID', 'the body of the call broke off'));
    const tooSlow = (): void => fail(new IntramurError('INSPECT_LIMIT', 'the body of the call came too slowly'));
    const deadline = performance.now() + limits.totalMs;
    let timer = setTimeout(tooSlow, Math.min(limits.idleMs, limits.totalMs));
    // None of these is taken off again, which would cost more than they do: afterwards they have nothing to do, and they go with the body.
    body.on('data', (chunk: Buffer) => {
      if (isOver) return;
      size += chunk.length;
      if (size > limits.maxBytes)
        return fail(new IntramurError('INSPECT_LIMIT', `the body of the call is longer than ${limits.maxBytes} bytes`));
      if (!hold(chunk.length)) return fail(new IntramurError('INSPECT_LIMIT', 'the calls under way hold too much already'));
      chunks.push(chunk);
      const leftMs = deadline - performance.now();
      if (leftMs >= limits.idleMs) timer.refresh();
      else {
        clearTimeout(timer);
        timer = setTimeout(tooSlow, Math.max(0, leftMs));
      }
    });
    body.on('end', () => {
      if (isDone()) return;
      // The listeners stay for as long as an answer may last, and must not keep the body.
      const [only, ...more] = chunks.splice(0);
      resolve(only && more.length === 0 ? only : Buffer.concat(only ? [only, ...more] : [], size));
    });
    body.on('error', onCut).on('close', onCut);
    signal?.addEventListener('abort', onCut);
  });
}
