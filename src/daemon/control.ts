// The daemon's unix socket: sessions, exchanges and connections of launchers, and the command line's questions. The socket is 0600
// and is in no sandbox. INVARIANT: nothing that an agent wrote is read here as a path, a header or a command of this protocol.
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf, type ExchangeHead, faults, IntramurError } from '../core/index.ts';
import type { Daemon } from './daemon.ts';
import { readLines, sendLine } from './lines.ts';
import {
  type ControlFault,
  type DescribedConnect,
  decode,
  describedHeader,
  encode,
  type LauncherMessage,
  maxHeaderBytes,
  type OpenRequest,
  type PinRequest,
  type ProposalDecision,
  paths,
  type SessionMessage,
  type SignatureRequest,
  type StartsRequest,
  type StateRequest,
  sessionProtocol,
} from './protocol.ts';
import { sendBody } from './reply.ts';
import { closedByLauncher, type Session } from './session.ts';

/** How long a launcher may take to end what it runs after its session was halted. */
const summingUpMs = 30_000;
/** Longest call with a body, bytes. */
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
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => stream.destroy());
    // The launcher never ends its side alone: when it does, it is gone.
    stream.on('end', () => stream.destroy());
    if (request.url !== paths.sessions || request.headers.upgrade !== sessionProtocol)
      return void stream.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    stream.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${sessionProtocol}\r\n\r\n`);
    holdSession(daemon, stream, head, onFault);
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
  if (method === 'POST' && url === paths.starts) {
    const asked = (await readJson(request)) as StartsRequest & { readonly token: string };
    return sendJson(response, await daemon.starts(asked.token, asked));
  }
  if (method === 'POST' && url === paths.attestations) return sendJson(response, await daemon.attested(await readJson(request)));
  if (method === 'POST' && url === paths.pins) return sendJson(response, await daemon.pinned((await readJson(request)) as PinRequest));
  if (method === 'POST' && url === paths.agents) return sendJson(response, await daemon.state((await readJson(request)) as StateRequest));
  if (method === 'GET' && url === paths.proposals) return sendJson(response, daemon.proposals());
  if (method === 'POST' && url === paths.proposals)
    return sendJson(response, await daemon.decideProposal((await readJson(request)) as ProposalDecision));
  if (method === 'POST' && url === paths.usableKeys) {
    const { token, names } = (await readJson(request)) as { readonly token: string; readonly names: readonly string[] };
    return sendJson(response, daemon.usableKeys(token, names));
  }
  if (method === 'POST' && url === paths.signature) {
    const asked = (await readJson(request)) as SignatureRequest & { readonly token: string };
    return sendJson(response, await daemon.signature(asked.token, asked));
  }
  throw new IntramurError('USAGE', `the daemon has no ${method} ${url}`);
}

/** The life of one session is this connection: the first line opens it, the second ends it, and when the connection closes, it is over. */
function holdSession(daemon: Daemon, stream: Duplex, head: Buffer, onFault: (what: string, fault: unknown) => void): void {
  const say = (message: SessionMessage): void => sendLine(stream, message);
  const end = (fault: unknown): void => {
    if (!codeOf(fault)) onFault('session', fault);
    say({ fault: controlFault(fault) });
    stream.end();
  };
  let held: Promise<Session | undefined> | undefined;
  readLines(stream, head, (value) => {
    if (!held) {
      held = opened(value as OpenRequest).catch((fault: unknown) => {
        end(fault);
        return undefined;
      });
      return;
    }
    const message = value as LauncherMessage;
    held
      .then(async (session) => {
        if (!session || !daemon.isOpen(session)) return;
        if ('confined' in message) {
          await daemon.confined(session, message.confined);
          return say({ recorded: true });
        }
        say({ summary: await daemon.close(session, message.close) });
        stream.end();
      })
      .catch(end);
  });

  async function opened(request: OpenRequest): Promise<Session | undefined> {
    const { session, reply } = await daemon.open(request);
    if (stream.destroyed) {
      daemon.lost(session);
      return undefined;
    }
    const { signal } = session.life;
    signal.addEventListener(
      'abort',
      () => {
        if (signal.reason === closedByLauncher) return;
        say({ halted: String(signal.reason) });
        if (!daemon.isOpen(session)) return void stream.end();
        // The launcher sums up a session that was halted; one that never does is gone.
        setTimeout(() => stream.destroy(), summingUpMs).unref();
      },
      { once: true },
    );
    stream.on('close', () => daemon.lost(session));
    say({ opened: reply });
    return session;
  }
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
  if (response.headersSent) return void response.destroy();
  response.writeHead(409, { 'content-type': 'application/json' });
  response.end(JSON.stringify(controlFault(fault)));
}

function controlFault(fault: unknown): ControlFault {
  const code = codeOf(fault) ?? 'INTERNAL';
  const hint = fault instanceof IntramurError ? fault.hint : undefined;
  const message = fault instanceof IntramurError ? fault.message : faults.INTERNAL.says;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
