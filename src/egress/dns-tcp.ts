// DNS over TCP: each message behind its length (RFC 1035 section 4.2.2).
import type { Socket } from 'node:net';

/** More waiting replies than this and the program is not reading them. */
const maxWaitingBytes = 64 * 1024;

export function serveDnsTcp(socket: Socket, answer: (query: Buffer) => Buffer | undefined, idleMs: number): void {
  let seen: Buffer = Buffer.alloc(0);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    while (seen.length >= 2) {
      const length = seen.readUInt16BE(0);
      if (seen.length < 2 + length) break;
      const reply = answer(seen.subarray(2, 2 + length));
      seen = seen.subarray(2 + length);
      if (!reply || socket.writableLength > maxWaitingBytes) return void socket.destroy();
      const prefix = Buffer.alloc(2);
      prefix.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([prefix, reply]));
    }
  });
}
