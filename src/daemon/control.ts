// The daemon's unix socket: sessions, exchanges and connections of launchers, and the command line's questions. The socket is 0600
// and is in no sandbox. INVARIANT: nothing that an agent wrote is read here as a path, a header or a command of this protocol.
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf, type ExchangeHead, faults, IntramurError } from '../core/index.ts';
import { maxHeaderBytes } from './client.ts';
import type { Daemon } from './daemon.ts';
import {
  type CloseRequest,
  type ControlFault,
  type DescribedConnect,
  decode,
  describedHeader,
  encode,
  type OpenRequest,
  paths,
  type StateRequest,
} from './protocol.ts';
import { sendBody } from './reply.ts';

/** The answers to small calls are bounded; exchanges stream. */
const maxCallBytes = 4 * 1024 * 1024;

export function createControl(daemon: Daemon, onFault: (what: string, fault: unknown) => void): http.Server {
  const server = http.createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: 0, keepAliveTimeout: 60_000 });
  server.on('request', (request, response) => {
    route(daemon, request, response).catch((fault: unknown) => {
      if (!codeOf(fault)) onFault('control', fault);
      sendFault(response, fault);
    });
  });
  server.on('connect', (request, stream, head) => {
    connect(daemon, request, stream, head).catch((fault: unknown) => {
      onFault('connect', fault);
      refuse(stream, faults[codeOf(fault) ?? 'INTERNAL'].says);
    });
  });
  return server;
}

async function route(daemon: Daemon, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { method = '', url = '' } = request;
  if (url === paths.exchange) return await exchange(daemon, request, response);
  if (method === 'GET' && url === paths.status) return sendJson(response, daemon.status());
  if (method === 'POST' && url === paths.stop) {
    sendJson(response, {});
    return daemon.requestStop();
  }
  if (method === 'POST' && url === paths.agents) return sendJson(response, await daemon.state((await readJson(request)) as StateRequest));
  if (method === 'POST' && url === paths.sessions) return await open(daemon, request, response);
  const [, id] = /^\/sessions\/([\w-]+)\/close$/.exec(url) ?? [];
  if (method !== 'POST' || !id) throw new IntramurError('USAGE', `the daemon has no ${method} ${url}`);
  const asked = (await readJson(request)) as CloseRequest & { readonly token: string };
  sendJson(response, await daemon.close(daemon.sessionOf(id, asked.token), asked));
}

/** Answers with one line and keeps the answer open for the life of the session; its last words are why the session was halted. */
async function open(daemon: Daemon, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { session, reply } = await daemon.open((await readJson(request)) as OpenRequest);
  const { signal } = session.life;
  if (response.destroyed) return daemon.lost(session);
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write(`${JSON.stringify(reply)}\n`);
  signal.addEventListener('abort', () => response.end(String(signal.reason)), { once: true });
  response.on('close', () => {
    if (!signal.aborted) daemon.lost(session);
  });
}

async function exchange(daemon: Daemon, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const { token, head } = described(request) as { token: string; head: ExchangeHead };
  const abort = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) abort.abort();
  });
  const reply = await daemon.exchange(token, head, request, abort.signal);
  response.writeHead(200, { [describedHeader]: encode({ status: reply.status, rawHeaders: reply.rawHeaders }) });
  sendBody(response, reply.body);
}

async function connect(daemon: Daemon, request: http.IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
  stream.on('error', () => stream.destroy());
  const { token, attempt } = described(request) as DescribedConnect;
  const answer = await daemon.connect(token, attempt);
  if (answer.effect === 'deny') return refuse(stream, answer.reason);
  stream.write('HTTP/1.1 200 OK\r\n\r\n');
  if (!answer.stream) return void stream.end();
  const upstream = answer.stream;
  upstream.on('error', () => stream.destroy());
  upstream.on('close', () => stream.destroy());
  stream.on('close', () => upstream.destroy());
  if (head.length > 0) upstream.write(head);
  stream.pipe(upstream).pipe(stream);
}

function refuse(stream: Duplex, reason: string): void {
  stream.end(`HTTP/1.1 403 Forbidden\r\nintramur-reason: ${encode(reason)}\r\ncontent-length: 0\r\n\r\n`);
}

function described(request: http.IncomingMessage): unknown {
  const text = request.headers[describedHeader];
  if (typeof text !== 'string') throw new IntramurError('USAGE', 'the call describes nothing');
  return decode(text);
}

async function readJson(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxCallBytes) throw new IntramurError('USAGE', 'the call is too long');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

function sendJson(response: http.ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function sendFault(response: http.ServerResponse, fault: unknown): void {
  const code = codeOf(fault) ?? 'INTERNAL';
  const hint = fault instanceof IntramurError ? fault.hint : undefined;
  const message = fault instanceof IntramurError ? fault.message : faults.INTERNAL.says;
  const body: ControlFault = { code, message, ...(hint === undefined ? {} : { hint }) };
  if (response.headersSent) return void response.destroy();
  response.writeHead(409, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
