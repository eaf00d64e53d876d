// HTTP/1.1 (RFC 9112) with the sandbox's programs: Node's strict parser reads, every request becomes an exchange, CONNECT becomes a
// tunnel that is looked into like any connection. One server serves all connections; it listens nowhere, sockets are given to it.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Caller, Exchanges } from './exchange.ts';
import { lastWords } from './last-words.ts';
import type { Limits } from './limits.ts';
import type { Origin } from './origin.ts';
import { refusalBytes, refuse } from './refusal.ts';
import { type CheckedReply, discard, hasBody, pump } from './reply.ts';
import type { Reports } from './report.ts';
import { RequestBody } from './request-body.ts';
import { describeRequest, locateAuthority, type Places, quoted } from './request-head.ts';
import { authorityText, wireAuthority } from './wire-host.ts';

export interface Http1 {
  /** Speaks HTTP/1.1 on `stream`, which is the origin's own connection or the TLS on it. */
  serve(stream: Duplex, origin: Origin): void;
  close(): void;
}

interface Deps {
  readonly exchanges: Exchanges;
  readonly reports: Reports;
  readonly places: Places;
  readonly limits: Limits;
  /** A tunnel to `origin` was opened on its connection. */
  tunnel(origin: Origin): void;
}

export function createHttp1({ exchanges, reports, places, limits, tunnel }: Deps): Http1 {
  const origins = new WeakMap<object, Origin>();
  const running = new WeakMap<object, number>();
  let server: Server | undefined;

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const origin = origins.get(socket);
    if (!origin) return void socket.destroy();
    const described = describeRequest(
      origin,
      {
        method: request.method ?? '',
        target: request.url ?? '',
        httpVersion: request.httpVersion === '1.0' ? '1.0' : '1.1',
        rawHeaders: request.rawHeaders,
      },
      places,
      limits.headerCount,
    );
    const body = new RequestBody(
      request,
      request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined,
    );
    const caller = callerOf(request, response, origin);
    running.set(socket, (running.get(socket) ?? 0) + 1);
    const done = (): void => void running.set(socket, (running.get(socket) ?? 1) - 1);
    const isWebSocket = /(?:^|,)\s*websocket\s*(?:,|$)/i.test(request.headers.upgrade ?? '');
    const outcome =
      isWebSocket && 'head' in described
        ? { origin: described.origin, refusal: refuse('WebSockets cannot be inspected here; use plain HTTP requests', 426) }
        : described;
    exchanges.run(outcome, body, caller).then(done, () => socket.destroy());
  }

  function onConnect(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const connection = origins.get(stream);
    if (!connection) return void stream.destroy();
    const no = (reason: string, status = 403, origin = connection): void => {
      void reports.refusal(origin, reason, { method: 'CONNECT' }).then(() => lastWords(stream, refusalBytes(refuse(reason, status))));
    };
    const text = request.url ?? '';
    if (connection.via !== 'proxy') return no('CONNECT is for the proxy address only', 405);
    if ((running.get(stream) ?? 0) > 0) {
      // No words: they would be taken for the answer to the request before.
      return void reports.refusal(connection, 'CONNECT behind a request that is still open').then(() => stream.destroy());
    }
    if (wireAuthority(text)?.port === undefined) return no(`CONNECT names no host and port: ${quoted(text)}`, 400);
    const origin = locateAuthority(connection, text, 'http', places);
    if (!origin) return no(`not a host that can be reached: ${quoted(text)}`);
    const hosts = request.rawHeaders.filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === 'host');
    const host = hosts[0];
    if (hosts.length > 1) return no('more than one Host header', 400, origin);
    if (host !== undefined) {
      const named = wireAuthority(host);
      if (!named || named.host !== wireAuthority(text)?.host || (named.port ?? origin.port) !== origin.port) {
        return no(`CONNECT and Host disagree: ${authorityText(origin.host, origin.port)} against ${quoted(host)}`, 403, origin);
      }
    }
    stream.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) stream.unshift(head);
    reports.forget(connection);
    tunnel(origin);
  }

  function onClientError(error: NodeJS.ErrnoException, stream: Duplex): void {
    const origin = origins.get(stream);
    const refusal = refusalOf(error);
    if (!origin || !refusal || !stream.writable) return void stream.destroy();
    // Bytes written here would stand in the middle of a reply that is on its way.
    const isAnswerable = (running.get(stream) ?? 0) === 0;
    void reports.refusal(origin, refusal.reason).then(() => {
      if (isAnswerable && stream.writable) lastWords(stream, refusalBytes(refusal));
      else stream.destroy();
    });
  }

  function serverOf(): Server {
    if (server) return server;
    const http = process.getBuiltinModule('node:http');
    server = http.createServer({
      insecureHTTPParser: false,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: Math.min(limits.headMs, limits.bodyMs),
      requestTimeout: limits.bodyMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.max(50, Math.min(5_000, limits.headMs / 2, limits.bodyMs / 2)),
      // Missing ones are refused where refusals are recorded.
      requireHostHeader: false,
    });
    // One more than is allowed: Node drops what is over the limit without a word, and a dropped header is a different request.
    server.maxHeadersCount = limits.headerCount + 1;
    // An expectation other than 100-continue is dropped with the connection's other fields.
    server.on('request', onRequest).on('checkExpectation', onRequest).on('connect', onConnect).on('clientError', onClientError);
    // Only a listening server watches over its time limits.
    server.emit('listening');
    return server;
  }

  return {
    serve(stream, origin) {
      origins.set(stream, origin);
      serverOf().emit('connection', stream);
    },
    close() {
      server?.closeAllConnections();
      server?.close(() => {});
    },
  };
}

function callerOf(request: IncomingMessage, response: ServerResponse, { socket }: Origin): Caller {
  return {
    onGone(listener) {
      response.once('close', () => {
        if (!response.writableFinished) listener();
      });
    },
    async send(reply) {
      try {
        await send(request.method ?? '', response, reply);
      } catch {
        // Reset, not closed: HTTP/1.0 takes a closed connection for the end of the body.
        socket.resetAndDestroy();
        response.destroy();
      }
    },
  };
}

async function send(method: string, response: ServerResponse, reply: CheckedReply): Promise<void> {
  const { status, rawHeaders, length, body } = reply;
  if (response.destroyed) return discard(reply);
  const headers = [...rawHeaders];
  const declares = length !== undefined && status !== 204;
  if (declares) headers.push('content-length', String(length));
  response.sendDate = false;
  if (status === 426) headers.push('connection', 'close');
  response.writeHead(status, headers);
  if (!hasBody(method, status)) {
    discard(reply);
    response.end();
    return;
  }
  if (body instanceof Uint8Array) {
    response.end(body);
    return;
  }
  // Together with the first bytes if they are already there, else without them: a stream may be silent for long.
  const flush = setImmediate(() => response.flushHeaders());
  try {
    await pump(body, response, length);
  } finally {
    clearImmediate(flush);
  }
}

/** `undefined` for a connection that merely went away. */
function refusalOf(error: NodeJS.ErrnoException): ReturnType<typeof refuse> | undefined {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'HPE_INVALID_EOF_STATE':
      return undefined;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse('the request took too long', 408);
    case 'HPE_HEADER_OVERFLOW':
      return refuse('the request’s head is too large', 431);
    default:
      return refuse(`not valid HTTP/1.1 (${/^[A-Z_]{1,60}$/.test(error.code ?? '') ? error.code : 'unreadable'})`, 400);
  }
}
