// The listener for clients on loopback: HTTP/1.1 on one side, an exchange on the other. Slow senders are cut off by the server's
// own limits for headers and by the gateway's for bodies.
import http from 'node:http';
import { Readable } from 'node:stream';
import type { ExchangeHead, ExchangeReply } from '../core/index.ts';
import { type ClientDeps, handleClient } from './clients.ts';
import { CallerDeparture } from './departure.ts';
import { endToEnd } from './headers.ts';

export interface ClientServerDeps extends ClientDeps {
  onFault(fault: unknown): void;
  /** Until all headers of a request have come. */
  readonly headersMs?: number;
  /** For the rest of a body whose call was answered before it had come. */
  readonly lingerMs?: number;
}

/**
 * Longer than clients keep idle connections themselves (undici 4 s, Go 90 s, OkHttp 300 s): a server that closes first may do so in the
 * moment of the next call, which then fails as a reset connection. Clients that look are told the time in `keep-alive`.
 */
const keepConnectionsMs = 600_000;

/** Bytes. */
const joinedUpTo = 16 * 1024;

export function createClientServer(deps: ClientServerDeps): http.Server {
  const { headersMs = 20_000, lingerMs = 20_000 } = deps;
  const sendSoon = wholeReplies((fault) => deps.onFault(fault));
  const server = http.createServer(
    {
      headersTimeout: headersMs,
      // Node looks at its limits only so often, by default every 30 s.
      connectionsCheckingInterval: Math.min(headersMs, 2000),
      requestTimeout: 0,
      keepAliveTimeout: keepConnectionsMs,
      noDelay: true,
    },
    (request, response) => {
      const departure = new CallerDeparture();
      response.on('close', () => {
        if (!response.writableFinished) departure.abort();
      });
      response.on('error', ignore);
      handleClient(deps, headOf(request), request, departure)
        .then((reply) => {
          sendReply(reply, response, sendSoon);
          // The caller gets to read its answer, and then its time is over: a body that drips on would hold the connection for ever.
          if (!request.complete) setTimeout(() => request.complete || request.socket.destroy(), lingerMs).unref();
        })
        .catch((fault: unknown) => {
          deps.onFault(fault);
          response.destroy();
        });
    },
  );
  // Without this a client that asks for an upgrade of any kind would be cut off instead of being told that there is none.
  server.on('connect', (_request, socket) =>
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  );
  return server;
}

function ignore(): void {}

function headOf(request: http.IncomingMessage): ExchangeHead {
  const { method = 'GET', url = '/', rawHeaders, socket, httpVersion } = request;
  // `Upgrade` belongs to the connection, but whether a WebSocket was asked for is part of the question.
  const upgrade = request.headers.upgrade;
  return {
    scheme: 'http',
    host: socket.localAddress ?? '127.0.0.1',
    port: socket.localPort ?? 0,
    isDirect: false,
    via: 'gateway',
    method,
    target: url,
    httpVersion: httpVersion === '1.0' ? '1.0' : '1.1',
    rawHeaders: [...endToEnd(rawHeaders), ...(upgrade === undefined ? [] : ['upgrade', upgrade])],
  };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

interface Whole {
  readonly response: http.ServerResponse;
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/**
 * Replies that become ready in one turn of the event loop leave together at its end: a client that sleeps is woken once for all of them,
 * and waking it costs more than a reply does.
 */
function wholeReplies(onFault: (fault: unknown) => void): (reply: Whole) => void {
  let waiting: Whole[] = [];
  const sendWaiting = (): void => {
    const ready = waiting;
    waiting = [];
    for (const { response, status, rawHeaders, body } of ready) {
      if (response.destroyed) continue;
      try {
        response.writeHead(status, [...rawHeaders]);
        // Node joins headers and a string to one write; a buffer goes beside them in a vector, which costs more than it copies.
        if (body.length < joinedUpTo) response.end(latin1(body), 'latin1');
        else response.end(body);
      } catch (fault) {
        onFault(fault);
        response.destroy();
      }
    }
  };
  return (reply) => {
    if (waiting.push(reply) === 1) setImmediate(sendWaiting);
  };
}

function sendReply({ status, rawHeaders, body }: ExchangeReply, response: http.ServerResponse, sendSoon: (reply: Whole) => void): void {
  if (response.destroyed) {
    if (body instanceof Readable) body.destroy();
    return;
  }
  if (!(body instanceof Readable)) return sendSoon({ response, status, rawHeaders, body });
  response.writeHead(status, [...rawHeaders]);
  // The headers go with the first bytes; a stream that has none yet shows its headers all the same.
  if (body.readableLength === 0) response.flushHeaders();
  body.on('data', (chunk: Uint8Array) => {
    if (!response.write(chunk)) body.pause();
  });
  response.on('drain', () => body.resume());
  body.on('end', () => response.end());
  // Half an answer must not look like a whole one.
  body.on('error', () => response.destroy());
  response.on('close', () => body.destroy());
}
