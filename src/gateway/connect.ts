// Opens upstream sockets for undici: to checked addresses only, TLS verified against the name that was asked for, no proxy of the
// environment, no HTTP/2 (one parser less in front of every key).
import net from 'node:net';
import tls from 'node:tls';
import { Agent, type buildConnector } from 'undici';
import { IntramurError } from '../core/index.ts';
import type { Address, Check, Resolve } from './resolve.ts';

export interface ConnectOptions {
  readonly resolve: Resolve;
  /** PEM texts of extra authorities. */
  readonly trust: readonly string[];
  /** Until the socket is ready for the first byte. */
  readonly connectTimeoutMs: number;
}

/** One pool of connections per kind of check, so that a socket which was checked loosely is never reused where it must be inside. */
export function createAgents(options: ConnectOptions): Readonly<Record<Check, Agent>> {
  let context: tls.SecureContext | undefined;
  const secureContext = (): tls.SecureContext => {
    context ??= tls.createSecureContext({ ca: [...tls.getCACertificates('default'), ...options.trust], minVersion: 'TLSv1.2' });
    return context;
  };
  const agentFor = (check: Check): Agent =>
    new Agent({
      connect: connector(check, options, secureContext),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: 4000,
      maxHeaderSize: 64 * 1024,
      maxOrigins: 1000,
    });
  return { inside: agentFor('inside'), any: agentFor('any'), named: agentFor('named') };
}

function connector(check: Check, options: ConnectOptions, secureContext: () => tls.SecureContext): buildConnector.connector {
  return ({ hostname, protocol, port }, callback) => {
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const isTls = protocol === 'https:';
    let isSettled = false;
    const settle = (fault: Error | undefined, socket?: net.Socket): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      if (fault || !socket) callback(fault ?? unreachable('the connection failed'), null);
      else callback(null, socket);
    };
    let socket: net.Socket | undefined;
    const timer = setTimeout(() => {
      settle(unreachable('the connection took too long'));
      socket?.destroy();
    }, options.connectTimeoutMs);

    options
      .resolve(host, Number(port) || (isTls ? 443 : 80), check)
      .then(({ addresses, port: dialled }) => {
        if (isSettled) return;
        const isLiteral = net.isIP(host) !== 0;
        const dial = {
          host: (isLiteral && addresses[0]?.address) || host,
          port: dialled,
          lookup: pinned(addresses),
          autoSelectFamily: true,
          noDelay: true,
          keepAlive: true,
        } as const;
        const opened = isTls
          ? tls.connect({
              ...dial,
              ...(isLiteral ? {} : { servername: host }),
              checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(host, certificate),
              secureContext: secureContext(),
              ALPNProtocols: ['http/1.1'],
            })
          : net.connect(dial);
        socket = opened;
        opened.once('error', (cause) => settle(unreachable('the connection failed', cause)));
        opened.once(isTls ? 'secureConnect' : 'connect', () => {
          // A literal address skips `lookup`, so where the socket went is looked at once more.
          const isChecked = addresses.some(({ address }) => sameAddress(address, opened.remoteAddress));
          if (isChecked) return settle(undefined, opened);
          opened.destroy();
          settle(unreachable('the connection went to an address that was not checked'));
        });
      })
      .catch((fault: unknown) => settle(fault instanceof IntramurError ? fault : unreachable('the connection could not be set up', fault)));
  };
}

function sameAddress(a: string, b: string | undefined): boolean {
  if (b === undefined) return false;
  const [x, y] = [a, b].map((text) => new net.SocketAddress({ address: text, family: net.isIPv6(text) ? 'ipv6' : 'ipv4' }).address);
  return x === y || y === `::ffff:${x}`;
}

/** A `lookup` that knows the answer already. */
function pinned(addresses: readonly Address[]): net.LookupFunction {
  const [first] = addresses;
  return (_host, { all }, callback) => {
    if (first === undefined) callback(new Error('no address'), []);
    else if (all) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

function unreachable(message: string, cause?: unknown): IntramurError {
  return new IntramurError('UPSTREAM_UNREACHABLE', message, { cause });
}
