// Looks at the first bytes of a connection and puts them back, so that whoever handles it next reads them as if nobody had looked.
import type { Socket } from 'node:net';

export interface Peeked {
  readonly seen: Buffer;
  /** `ended`: the program closed its side, and nothing was put back. */
  readonly why: 'enough' | 'ended' | 'timeout';
}

/**
 * Gathers bytes until `isEnough` says so, the program ends its side, or time is up.
 * @param limitMs `undefined`: as long as it takes
 * @returns `undefined` when the connection is gone
 */
export async function peek(socket: Socket, isEnough: (seen: Buffer) => boolean, limitMs: number | undefined): Promise<Peeked | undefined> {
  const { promise, resolve } = Promise.withResolvers<Peeked | undefined>();
  let seen: Buffer = Buffer.alloc(0);
  const finish = (why: Peeked['why'] | 'closed'): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', onEnd).off('close', onClose);
    if (why === 'closed') return resolve(undefined);
    // At once: after the tick in which the last byte was read it may be too late to put bytes back.
    if (why !== 'ended' && seen.length > 0) socket.unshift(seen);
    resolve({ seen, why });
  };
  const onReadable = (): void => {
    for (let chunk: unknown = socket.read(); Buffer.isBuffer(chunk); chunk = socket.read()) {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    }
    if (seen.length > 0 && isEnough(seen)) finish('enough');
  };
  const onEnd = (): void => finish('ended');
  const onClose = (): void => finish('closed');
  const timer = limitMs === undefined ? undefined : setTimeout(finish, limitMs, 'timeout');
  socket.on('readable', onReadable).once('end', onEnd).once('close', onClose);
  if (socket.destroyed) finish('closed');
  return await promise;
}
