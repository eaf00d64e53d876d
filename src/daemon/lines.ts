// Messages on a stream: one JSON value a line. What a session's two ends say to each other (`protocol.ts`).
import type { Duplex } from 'node:stream';

/** Longest line that is read, bytes: a session's opening carries credentials, its end a list of files. */
const maxLineBytes = 4 * 1024 * 1024;

export function sendLine(stream: Duplex, value: unknown): void {
  stream.write(`${JSON.stringify(value)}\n`);
}

/**
 * Calls `onLine` with each value, in order. A line that is too long or no JSON ends the stream.
 * @param first bytes that were read already
 */
export function readLines(stream: Duplex, first: Buffer, onLine: (value: unknown) => void): void {
  let pending = first;
  const take = (): void => {
    for (let end = pending.indexOf(0x0a); end >= 0 && !stream.destroyed; end = pending.indexOf(0x0a)) {
      const line = pending.toString('utf8', 0, end);
      pending = pending.subarray(end + 1);
      try {
        onLine(JSON.parse(line));
      } catch (cause) {
        stream.destroy(new Error('a message that cannot be read', { cause }));
      }
    }
    if (pending.length > maxLineBytes) stream.destroy(new Error('a message that is too long'));
  };
  stream.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    take();
  });
  take();
}
