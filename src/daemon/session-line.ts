// A session as its launcher holds it: one connection to the daemon's socket, from the opening to the summary. It speaks HTTP/1.1 for one
// request that upgrades (RFC 9110, section 7.8), then lines. Made of node:net alone: node:http would be loaded before the program starts.
import net from 'node:net';
import { IntramurError, product } from '../core/index.ts';
import { faultFrom, unreachable } from './fault.ts';
import { readLines, sendLine } from './lines.ts';
import {
  type CloseRequest,
  type Confinement,
  type OpenReply,
  type OpenRequest,
  paths,
  type SessionMessage,
  type Summary,
  sessionProtocol,
} from './protocol.ts';
import type { Watch } from './watch.ts';

export interface SessionLine {
  readonly reply: OpenReply;
  /** Ends the session. @throws IntramurError DAEMON_UNREACHABLE */
  close(request: CloseRequest): Promise<Summary>;
  /** Says how the program is confined; resolves when that is recorded. @throws IntramurError DAEMON_UNREACHABLE, LEDGER_APPEND */
  confined(confinement: Confinement): Promise<void>;
  destroy(): void;
}

const upgradeRequest = [
  `GET ${paths.sessions} HTTP/1.1`,
  'Host: daemon',
  'Connection: Upgrade',
  `Upgrade: ${sessionProtocol}`,
  '',
  '',
].join('\r\n');

/**
 * Opens a session and ties its life to this process: the daemon ends it when the connection closes.
 * @param onEnd called once: with the reason when the daemon halted the session, with `undefined` when the daemon went away
 * @throws IntramurError DAEMON_UNREACHABLE, or what the daemon answers
 */
export async function openSession(
  socketPath: string,
  request: OpenRequest,
  watch: Watch,
  onEnd: (reason: string | undefined) => void,
): Promise<SessionLine> {
  const opened = Promise.withResolvers<OpenReply>();
  const closed = Promise.withResolvers<Summary>();
  closed.promise.catch(() => {}); // whoever closes hears of it
  const recorded = Promise.withResolvers<void>();
  recorded.promise.catch(() => {}); // whoever says how it is confined hears of it
  const socket = net.connect(socketPath);
  socket.write(upgradeRequest);
  sendLine(socket, request);
  watch.add(socket);

  let halted: string | undefined;
  let isOpen = false;
  const failed = (fault: IntramurError): void => {
    opened.reject(fault);
    closed.reject(fault);
    recorded.reject(fault);
  };
  let hasEnded = false;
  const end = (): void => {
    if (isOpen && !hasEnded) onEnd(halted);
    hasEnded = true;
  };
  let cause = new Error('the connection ended early');
  socket.on('error', (error) => {
    cause = error;
  });
  socket.on('end', () => socket.destroy());
  socket.once('close', () => {
    watch.remove(socket);
    failed(halted === undefined ? unreachable(cause) : new IntramurError('SESSION_HALTED', halted));
    end();
  });
  // A daemon that does not know this upgrade answers an ordinary response: it is another version.
  afterHead(socket, (head, rest) => {
    if (!/^HTTP\/1\.1 101 /.test(head)) {
      failed(new IntramurError('USAGE', 'the running daemon is of another version', { hint: `${product.name} down` }));
      socket.destroy();
      return;
    }
    readLines(socket, rest, (value) => {
      const message = value as SessionMessage;
      if ('fault' in message) {
        failed(faultFrom(message.fault));
        socket.destroy();
      } else if ('opened' in message) {
        isOpen = true;
        watch.remove(socket);
        // From here on the program inside keeps this process alive, not the connection.
        socket.unref();
        opened.resolve(message.opened);
      } else if ('recorded' in message) {
        recorded.resolve();
      } else if ('summary' in message) {
        closed.resolve(message.summary);
      } else {
        halted = message.halted;
        opened.reject(new IntramurError('SESSION_HALTED', halted));
        end();
      }
    });
  });
  const reply = await opened.promise;
  return {
    reply,
    async close(ended) {
      if (!socket.destroyed) {
        socket.ref();
        watch.add(socket);
        sendLine(socket, { close: ended });
      }
      return await closed.promise;
    },
    async confined(confinement) {
      sendLine(socket, { confined: confinement });
      watch.add(socket);
      await recorded.promise.finally(() => watch.remove(socket));
    },
    destroy: () => socket.destroy(),
  };
}

/** Calls back once, with the head of an HTTP response and what came behind it. */
function afterHead(socket: net.Socket, onHead: (head: string, rest: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk]);
    const end = pending.indexOf('\r\n\r\n');
    if (end < 0) return;
    socket.off('data', onData);
    onHead(pending.toString('latin1', 0, end), pending.subarray(end + 4));
  };
  socket.on('data', onData);
}
