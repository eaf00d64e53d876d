// A connection from the sandbox: where was it going, what does it speak, who handles it. Nothing here lets anything out; it only
// finds the one path on which the connection is decided.
import type { Socket } from 'node:net';
import type { Authority } from './authority.ts';
import type { ClientHello } from './client-hello.ts';
import type { Http1 } from './http1.ts';
import type { Http2 } from './http2.ts';
import { lastWords } from './last-words.ts';
import type { Limits } from './limits.ts';
import type { NameTable } from './name-table.ts';
import { maxOpeningBytes, openingOf } from './opening.ts';
import { namedBy, type Origin } from './origin.ts';
import { peek } from './peek.ts';
import { type Connect, relay } from './raw.ts';
import { refusalBytes, refuse } from './refusal.ts';
import type { Reports } from './report.ts';
import { quoted } from './request-head.ts';
import { alerts, terminateTls } from './tls.ts';
import { dialledAddress, wireHost } from './wire-host.ts';

/** `any`: transparent, the dialled address says where to; `proxy`: the request says; `gateway`: to our own gateway. */
export type Role = 'any' | 'proxy' | 'gateway';

export interface ListenerDeps {
  readonly authority: Authority;
  readonly names: NameTable;
  readonly http1: Http1;
  readonly http2: Http2;
  readonly reports: Reports;
  readonly connect: Connect;
  readonly limits: Limits;
  /** Told of every hello that parses, before anything is decided. */
  readonly onHello: ((host: string, hello: Hello) => void) | undefined;
  /** True once the session has ended. */
  isOver(): boolean;
}

export type Hello = Extract<ClientHello, { kind: 'hello' }>;

/** What a port carries: on web ports nothing but TLS and HTTP is served. */
function kindOf({ port, via }: Origin): 'web' | 'ssh' | 'policy' {
  if (port === 22) return 'ssh';
  return port === 80 || port === 443 || via !== 'transparent' ? 'web' : 'policy';
}

/** @param port the port of the adopted listener */
export async function receive(socket: Socket, role: Role, port: number, deps: ListenerDeps): Promise<void> {
  const address = dialledAddress(socket.localAddress);
  if (address === undefined) return void socket.destroy();
  const name = role === 'any' ? deps.names.nameOf(address) : undefined;
  const origin: Origin = {
    socket,
    scheme: 'http',
    host: name ?? address,
    port,
    isDirect: role === 'any' && name === undefined,
    via: role === 'any' ? 'transparent' : role,
  };
  await serve(origin, deps);
}

/** Some connections are worth an entry even when nothing was asked on them. */
function noteIfSilent(origin: Origin, reason: string, { reports, isOver }: ListenerDeps): void {
  origin.socket.once('close', () => {
    // At the end of the session we are the ones who close: that tells something of a direct attempt only.
    if (!reports.isKnown(origin) && (origin.isDirect || !isOver())) void reports.refusal(origin, reason);
  });
}

/** Handles a connection, or what comes through a CONNECT tunnel, by its first bytes. */
export async function serve(origin: Origin, deps: ListenerDeps): Promise<void> {
  const { socket } = origin;
  const { limits, http1, http2 } = deps;
  const kind = kindOf(origin);
  if (kind === 'ssh') return await relay(origin, 'ssh', deps);
  if (origin.isDirect) noteIfSilent(origin, 'the program dialled an address and closed the connection without a request', deps);
  const isEnough = (seen: Buffer): boolean => openingOf(seen).kind !== 'unclear' || seen.length > maxOpeningBytes;
  let peeked = await peek(socket, isEnough, kind === 'policy' ? limits.serverFirstMs : limits.helloMs);
  if (kind === 'policy' && peeked?.why === 'timeout') {
    if (peeked.seen.length === 0) return await relay(origin, 'tcp', deps);
    peeked = await peek(socket, isEnough, limits.helloMs);
  }
  if (!peeked) return;
  const opening = openingOf(peeked.seen);
  if (peeked.why === 'enough' && opening.kind === 'tls') return await intercept(origin, opening.hello, deps);
  if (peeked.why === 'enough' && opening.kind === 'http1') return http1.serve(socket, origin);
  if (peeked.why === 'enough' && opening.kind === 'http2') return http2.serve(socket, origin);
  if (kind === 'policy' && peeked.why === 'enough' && opening.kind === 'raw') return await relay(origin, 'tcp', deps);
  return await turnAway(origin, peeked.seen.length, deps);
}

async function turnAway(origin: Origin, seenBytes: number, { reports }: ListenerDeps): Promise<void> {
  if (seenBytes > 0 || origin.isDirect) {
    const reason = seenBytes > 0 ? `neither TLS nor HTTP on port ${origin.port}` : 'the program said nothing';
    await reports.refusal(origin, reason);
  }
  origin.socket.destroy();
}

async function intercept(plain: Origin, hello: Exclude<ClientHello, { kind: 'partial' }>, deps: ListenerDeps): Promise<void> {
  const { authority, reports, limits, http1, http2 } = deps;
  const { socket } = plain;
  const origin: Origin = { ...plain, scheme: 'https' };
  const no = async (reason: string, alert: Buffer): Promise<void> => {
    await reports.refusal(origin, reason);
    lastWords(socket, alert);
  };
  if (origin.via === 'proxy' || origin.via === 'gateway') return await no(`TLS to the ${origin.via} address`, alerts.handshakeFailure);
  if (hello.kind === 'invalid') return await no(`not a TLS hello: ${hello.problem}`, alerts.decodeError);
  if (hello.isEncrypted) return await no('an encrypted ClientHello hides the name', alerts.handshakeFailure);
  const { serverName } = hello;
  deps.onHello?.(serverName ?? origin.host, hello);
  const named = serverName === undefined ? origin.host : wireHost(serverName);
  if (named === undefined) return await no(`SNI is no host name: ${quoted(serverName ?? '')}`, alerts.unrecognizedName);

  const secured: Origin =
    named === origin.host ? origin : { ...origin, contradiction: `${namedBy(origin)} and SNI disagree: ${origin.host} against ${named}` };
  // As whom the program expects us to answer: a refusal it trusts is one it can show.
  const terminated = await terminateTls(socket, authority.contextFor(named), limits.helloMs);
  if ('problem' in terminated) {
    if (!deps.isOver()) await reports.refusal(secured, `the TLS handshake failed: ${terminated.problem}`);
    return;
  }
  const { stream } = terminated;
  // What we read and what OpenSSL read must be the same, or someone found a gap between two parsers.
  const heard: unknown = Reflect.get(stream, 'servername');
  if (typeof heard === 'string' && heard !== '' && wireHost(heard) !== named) {
    await reports.refusal(secured, 'two readings of one ClientHello');
    return void stream.destroy();
  }
  // Programs that check a certificate late leave here: without an entry nobody would know why they fail.
  noteIfSilent(secured, 'the program closed the connection after the TLS handshake; it may not trust the session’s authority', deps);
  if (stream.alpnProtocol === 'h2') http2.serve(stream, secured);
  else http1.serve(stream, secured);
}

/** Too many connections: said once in a form that HTTP programs show, then closed. */
export function turnAwayAtTheDoor(socket: Socket, limit: number): void {
  lastWords(socket, refusalBytes(refuse(`more than ${limit} connections at once`, 503)));
}
