// The whole body of a call, because nothing may leave before all of it was looked at. Bounded in size and in patience.
import type { Readable } from 'node:stream';
import { IntramurError } from '../core/index.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** Longest pause of the sender: a caller that drips bytes holds memory and gets nothing for it. */
  readonly idleMs: number;
  /** Longest time for the whole body. */
  readonly totalMs: number;
}

/** @param hold false when the gateway as a whole cannot hold so many more bytes */
export function readBody(body: Readable, limits: BodyLimits, hold: (bytes: number) => boolean, signal?: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (fault: IntramurError | undefined): void => {
      clearTimeout(timer);
      body.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut);
      signal?.removeEventListener('abort', onCut);
      if (fault) {
        // The rest is read and dropped, so that the caller gets to read the refusal.
        body.on('error', () => {});
        body.resume();
        reject(fault);
      } else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    };
    const tooSlow = (): void => finish(new IntramurError('INSPECT_LIMIT', 'the body of the call came too slowly'));
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limits.maxBytes)
        return finish(new IntramurError('INSPECT_LIMIT', `the body of the call is longer than ${limits.maxBytes} bytes`));
      if (!hold(chunk.length)) return finish(new IntramurError('INSPECT_LIMIT', 'the calls under way hold too much already'));
      chunks.push(chunk);
      const leftMs = deadline - performance.now();
      if (leftMs >= limits.idleMs) timer.refresh();
      else {
        clearTimeout(timer);
        timer = setTimeout(tooSlow, Math.max(0, leftMs));
      }
    };
    const onEnd = (): void => finish(undefined);
    const onCut = (): void => finish(new IntramurError('DIALECT_INVALID', 'the body of the call broke off'));
    const deadline = performance.now() + limits.totalMs;
    let timer = setTimeout(tooSlow, Math.min(limits.idleMs, limits.totalMs));
    body.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut);
    signal?.addEventListener('abort', onCut, { once: true });
  });
}
