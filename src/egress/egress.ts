// The way out of one session's sandbox. It decides nothing and dials nobody: every exchange and every raw connection goes through the
// two callbacks it was made with. INVARIANT: what they do not allow, or cannot answer, is refused.
import type { Socket } from 'node:net';
import { canonicalHost } from '../core/index.ts';
import type { Authority } from './authority.ts';
import { createResolver } from './dns.ts';
import { serveDnsTcp } from './dns-tcp.ts';
import { createExchanges, type Forward } from './exchange.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { type Hello, type ListenerDeps, type Role, receive, serve, turnAwayAtTheDoor } from './listener.ts';
import { NameTable } from './name-table.ts';
import type { Connect } from './raw.ts';
import { createReports } from './report.ts';
import type { Places } from './request-head.ts';
import { createUnanswered } from './unanswered.ts';
import { authorityText, dialledAddress, wireAuthority } from './wire-host.ts';
import { within } from './within.ts';

export interface EgressOptions {
  readonly authority: Authority;
  /** `host:port` (or `host`, for any port) by which our own gateway is addressed inside. */
  readonly gatewayHosts: readonly string[];
  readonly forward: Forward;
  readonly connect: Connect;
  readonly limits?: Partial<Limits>;
  /** What a program's TLS library says of itself, with the name that it asks for. */
  onHello?(host: string, hello: Hello): void;
}

export interface Egress {
  /** Takes over a connection from an adopted listener; `socket.localAddress` is the address that the program dialled. */
  accept(socket: Socket, role: Role, port: number): void;
  /** Reply to one DNS message; `undefined` when it deserves none. */
  answerDns(query: Buffer, transport: 'udp' | 'tcp', isOurResolver: boolean): Buffer | undefined;
  dnsTcp(socket: Socket): void;
  /** A connection to this place was refused by the kernel, because nobody listens on the port. */
  unanswered(address: string, port: number): void;
  /** Cuts every connection; resolves when the last refusal is recorded. */
  close(): Promise<void>;
}

export function createEgress({ authority, gatewayHosts, forward, connect, limits: chosen, onHello }: EgressOptions): Egress {
  const limits: Limits = { ...defaultLimits, ...chosen };
  const sockets = new Set<Socket>();
  const names = new NameTable(limits.names);
  const reports = createReports(connect, limits);
  const places = placesOf(gatewayHosts, names);
  const exchanges = createExchanges(forward, reports, limits);
  const common = { exchanges, reports, places, limits };
  const http2 = createHttp2(common);
  const http1 = createHttp1({ ...common, tunnel: (origin) => guard(origin.socket, serve(origin, deps)) });
  const deps: ListenerDeps = { authority, names, http1, http2, reports, connect, limits, onHello, isOver: () => isClosed };
  let isClosed = false;

  /** A fault of ours on one connection closes that connection. */
  function guard(socket: Socket, work: Promise<void>): void {
    work.catch(() => socket.destroy());
  }

  function adopt(socket: Socket): boolean {
    socket.on('error', () => {});
    if (isClosed) {
      socket.destroy();
      return false;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (sockets.size > limits.connections) {
      turnAwayAtTheDoor(socket, limits.connections);
      return false;
    }
    return true;
  }

  const resolver = createResolver(names, ({ name, type, isOurResolver, refused }) => {
    void reports.tell({ host: name, port: 53, protocol: 'dns', isDirect: !isOurResolver, detail: { type, refused } });
  });

  const unanswered = createUnanswered({ names, reports, now: () => process.uptime() * 1000 });

  return {
    accept(socket, role, port) {
      if (!adopt(socket)) return;
      // A program may end its side and still wait for the answer.
      socket.allowHalfOpen = true;
      socket.setNoDelay(true);
      guard(socket, receive(socket, role, port, deps));
    },
    answerDns: (query, _transport, isOurResolver) => resolver.answer(query, isOurResolver),
    unanswered,
    dnsTcp(socket) {
      if (adopt(socket)) serveDnsTcp(socket, (query) => resolver.answer(query, isOurResolver(socket)), limits.helloMs);
    },
    async close() {
      isClosed = true;
      http1.close();
      http2.close();
      const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of sockets) socket.destroy();
      await within(limits.closeMs, 'closing', Promise.all(closed), () => {}).catch(() => {});
      await reports.settled();
    },
  };
}

function isOurResolver(socket: Socket): boolean {
  return dialledAddress(socket.localAddress) === '127.0.0.1';
}

function gatewayName(text: string): string[] {
  const authority = wireAuthority(text);
  const host = authority?.host ?? canonicalHost(text);
  if (host === undefined) return [];
  return [authority?.port === undefined ? host : authorityText(host, authority.port)];
}

function placesOf(gatewayHosts: readonly string[], names: NameTable): Places {
  // Read with the first question: the launcher makes an egress before it starts a program, and reading names is slow at first.
  let known: ReadonlySet<string> | undefined;
  const gateways = (): ReadonlySet<string> => (known ??= new Set(gatewayHosts.flatMap(gatewayName)));
  return {
    isGateway: (host, port) => gateways().has(host) || gateways().has(authorityText(host, port)),
    nameOf: (address) => names.nameOf(address),
  };
}
