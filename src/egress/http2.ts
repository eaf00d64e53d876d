// HTTP/2 (RFC 9113) with the sandbox's programs: one session per connection, one exchange per stream.
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Caller, Exchanges } from './exchange.ts';
import type { Limits } from './limits.ts';
import type { Origin } from './origin.ts';
import { refuse } from './refusal.ts';
import { type CheckedReply, discard, hasBody, pump } from './reply.ts';
import type { Reports } from './report.ts';
import { RequestBody } from './request-body.ts';
import { type Described, describeRequest, type Places } from './request-head.ts';

export interface Http2 {
  serve(stream: Duplex, origin: Origin): void;
  close(): void;
}

interface Deps {
  readonly exchanges: Exchanges;
  readonly reports: Reports;
  readonly places: Places;
  readonly limits: Limits;
}

const maxStreams = 256;

export function createHttp2({ exchanges, reports, places, limits }: Deps): Http2 {
  const sessions = new Set<ServerHttp2Session>();

  function serve(connection: Duplex, origin: Origin): void {
    const { performServerHandshake, constants } = process.getBuiltinModule('node:http2');
    // Unlike HTTP/1.1, a side that has ended cannot wait for an answer: its acknowledgements are missing.
    connection.allowHalfOpen = false;
    const session = performServerHandshake(connection, {
      maxHeaderListPairs: limits.headerCount + 8,
      maxSendHeaderBlockLength: limits.headerBytes * 4,
      settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: limits.headerBytes, enablePush: false },
    });
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('ERR_HTTP2')) void reports.refusal(origin, 'not valid HTTP/2');
      connection.destroy();
    });
    session.setTimeout(limits.idleMs, () => session.close());
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      // What breaks a stream is told by its close; nobody else would hear the error.
      stream.on('error', () => {});
      const body = new RequestBody(stream, stream.endAfterHeaders);
      exchanges
        .run(
          described(origin, rawHeaders, places, limits.headerCount),
          body,
          callerOf(stream, String(headers[':method'] ?? ''), constants.NGHTTP2_NO_ERROR),
        )
        .catch((fault: Error) => stream.destroy(fault));
    });
  }

  return {
    serve,
    close() {
      for (const session of sessions) session.destroy();
    },
  };
}

function described(origin: Origin, rawHeaders: readonly string[], places: Places, maxHeaders: number): Described {
  const pseudo = new Map<string, string>();
  const fields: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (name.startsWith(':')) pseudo.set(name, value);
    else fields.push(name, value);
  }
  const method = pseudo.get(':method') ?? '';
  const target = pseudo.get(':path');
  const authority = pseudo.get(':authority');
  if (!/^[A-Za-z-]{1,20}$/.test(method) || method === 'CONNECT' || target === undefined) {
    return { origin, refusal: refuse('CONNECT is for the proxy address only', 405) };
  }
  if (pseudo.get(':scheme') !== origin.scheme) {
    return { origin, refusal: refuse(`the connection and :scheme disagree: ${origin.scheme}`) };
  }
  if (target.startsWith('http')) return { origin, refusal: refuse('the request target is malformed', 400) };
  return describeRequest(
    origin,
    { method, target, httpVersion: '2.0', rawHeaders: fields, ...(authority === undefined ? {} : { authority }) },
    places,
    maxHeaders,
  );
}

function callerOf(stream: ServerHttp2Stream, method: string, noError: number): Caller {
  return {
    onGone(listener) {
      // Not `close`: a stream that was reset looks as if it had been finished.
      stream.once('aborted', listener);
    },
    async send(reply) {
      try {
        await send(stream, method, reply);
        // RFC 9113 section 8.1: the rest of a request that nobody will read need not be sent.
        if (!stream.readableEnded) stream.once('finish', () => stream.close(noError));
      } catch (fault) {
        // Not `close`: it ends the stream first, and the reply would look whole.
        stream.destroy(fault instanceof Error ? fault : new Error('the reply broke off'));
      }
    },
  };
}

async function send(stream: ServerHttp2Stream, method: string, reply: CheckedReply): Promise<void> {
  const { status, rawHeaders, length, body } = reply;
  if (stream.destroyed || stream.closed) return discard(reply);
  const headers: OutgoingHttpHeaders = { ':status': status };
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (name === 'upgrade') continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
  if (length !== undefined && status !== 204) headers['content-length'] = String(length);
  if (!hasBody(method, status)) {
    discard(reply);
    stream.respond(headers, { endStream: true });
    return;
  }
  stream.respond(headers);
  if (body instanceof Uint8Array) stream.end(body);
  else await pump(body, stream, length);
}
