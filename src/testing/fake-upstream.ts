// A model server on loopback that speaks all four dialects and follows a script. It says on its face that it is a rehearsal: model
// `rehearsal`, `server` header.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Dialect } from '../core/index.ts';
import { sendFault } from './fault.ts';
import { rehearsalModel, replyFor, turnFor } from './reply.ts';
import { replyBody } from './reply-body.ts';
import { replyChunks } from './reply-stream.ts';
import { readRequest, readRequestLine } from './request-reader.ts';
import type { Fault, Script } from './script.ts';

/** A request as it arrived. */
export interface Recorded {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface FakeUpstreamOptions {
  readonly script: Script;
  /** Default: all four. Calls of another dialect get a 404, as from a server that does not serve it. */
  readonly dialects?: readonly Dialect[];
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  /** Default: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Pause between two chunks of a stream. */
  readonly chunkDelayMs?: number;
}

export interface FakeUpstream {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  readonly received: readonly Recorded[];
  /** From now on every model call meets this fault; `undefined` ends it. */
  setFault(fault: Fault | undefined): void;
  close(): Promise<void>;
}

export async function startFakeUpstream(options: FakeUpstreamOptions): Promise<FakeUpstream> {
  const received: Recorded[] = [];
  const state: { fault: Fault | undefined } = { fault: undefined };
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const parts: Buffer[] = [];
    response.on('error', () => {});
    request.on('error', () => {});
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', rawHeaders } = request;
      const record = { method, path: url, rawHeaders, body: Buffer.concat(parts), time: Date.now() };
      received.push(record);
      void answer(record, response, options, state.fault, received.length);
    });
  };
  const { tls } = options;
  const server = tls ? https.createServer({ key: tls.key, cert: tls.cert }, onRequest) : http.createServer(onRequest);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${options.host ?? '127.0.0.1'}:${port}`,
    port,
    received,
    setFault: (fault) => {
      state.fault = fault;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  record: Recorded,
  response: http.ServerResponse,
  options: FakeUpstreamOptions,
  standing: Fault | undefined,
  serial: number,
): Promise<void> {
  response.setHeader('server', 'intramur-rehearsal');
  response.setHeader('x-request-id', `req_${serial}`);
  const { pathname } = new URL(record.path, 'http://rehearsal.invalid');
  if (record.method === 'HEAD') return void response.end();
  if (record.method === 'GET' && pathname.endsWith('/models')) return sendJson(response, 200, modelsBody(pathname));
  const line = readRequestLine(record.path);
  const isServed = line && record.method === 'POST' && (options.dialects?.includes(line.dialect) ?? true);
  if (!isServed)
    return sendJson(response, 404, { error: { type: 'not_found_error', message: `no ${record.method} ${pathname} here`, code: null } });

  let request;
  try {
    request = readRequest(line, record.body.toString());
  } catch {
    return sendJson(response, 400, { error: { type: 'invalid_request_error', message: 'the body is not JSON', code: null } });
  }
  if (line.kind === 'count-tokens') {
    const tokens = Math.ceil(request.text.length / 4);
    return sendJson(response, 200, line.dialect === 'gemini' ? { totalTokens: tokens } : { input_tokens: tokens });
  }

  const turn = turnFor(options.script, request);
  const reply = replyFor(turn, request, `${rehearsalModel}${serial}`);
  const chunks = request.stream
    ? replyChunks(request.dialect, reply, request.asJsonArray)
    : [JSON.stringify(replyBody(request.dialect, reply))];
  const contentType = request.stream && !request.asJsonArray ? 'text/event-stream' : 'application/json';
  const fault = standing ?? turn.fault;
  if (fault !== undefined) return sendFault(response, fault, { dialect: request.dialect, contentType, chunks });

  response.writeHead(200, { 'content-type': contentType });
  for (const [n, chunk] of chunks.entries()) {
    if (n > 0 && options.chunkDelayMs) await new Promise((resolve) => setTimeout(resolve, options.chunkDelayMs));
    if (response.destroyed) return;
    response.write(chunk);
  }
  response.end();
}

function modelsBody(pathname: string): unknown {
  return pathname.includes('/v1beta/')
    ? { models: [{ name: `models/${rehearsalModel}`, displayName: rehearsalModel, supportedGenerationMethods: ['generateContent'] }] }
    : {
        object: 'list',
        data: [{ id: rehearsalModel, type: 'model', object: 'model', created: 0, owned_by: 'rehearsal' }],
        has_more: false,
      };
}

function sendJson(response: http.ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}
