// From what a program wrote to the head that the monitor decides on (RFC 9110 section 7, RFC 9112 section 3, RFC 9113 section 8.3).
// INVARIANT: a head is made only when everything that names a host (DNS or the dialled address, SNI, CONNECT, the request target,
// Host, `:authority`) names the same one, so that what is decided is what the upstream will see.
import type { ExchangeHead } from '../core/index.ts';
import { namedBy, type Origin, originOf } from './origin.ts';
import { type Refusal, refuse } from './refusal.ts';
import { authorityText, isLocalName, wireAuthority } from './wire-host.ts';

export interface Written {
  readonly method: string;
  /** Request target as it stood on the request line, or `:path`. */
  readonly target: string;
  /** `:authority` of HTTP/2. */
  readonly authority?: string;
  readonly httpVersion: ExchangeHead['httpVersion'];
  /** name, value, …; without pseudo headers. */
  readonly rawHeaders: readonly string[];
}

export interface Places {
  isGateway(host: string, port: number): boolean;
  /** The name behind one of our synthetic addresses. */
  nameOf(address: string): string | undefined;
}

export type Described = { readonly head: ExchangeHead; readonly origin: Origin } | { readonly refusal: Refusal; readonly origin: Origin };

export function describeRequest(connection: Origin, written: Written, places: Places, maxHeaders: number): Described {
  const { method, rawHeaders, httpVersion } = written;
  const no = (refusal: Refusal, origin: Origin = connection): Described => ({ refusal, origin });
  if (connection.contradiction !== undefined) return no(refuse(connection.contradiction));

  const target = splitTarget(written);
  if (!target) return no(refuse('the request target is malformed', 400));
  const located = locate(connection, target, places);
  if ('refusal' in located) return no(located.refusal);
  const { origin } = located;

  if (rawHeaders.length / 2 > maxHeaders) return no(refuse(`more than ${maxHeaders} header fields`, 431), origin);
  const headers = endToEnd(written);
  if ('refusal' in headers) return no(headers.refusal, origin);

  const authorities: [string, string][] = [];
  if (target.authority !== undefined)
    authorities.push([written.authority === undefined ? 'the request target' : ':authority', target.authority]);
  if (headers.hosts.length > 1) return no(refuse('more than one Host header', 400), origin);
  const hosted = headers.hosts[0];
  if (hosted === undefined && httpVersion !== '1.0' && written.authority === undefined) return no(refuse('no Host header', 400), origin);
  if (hosted !== undefined) authorities.push(['Host', hosted]);
  for (const [who, text] of authorities) {
    if (!agrees(origin, text, places)) {
      return no(
        refuse(`${namedBy(connection)} and ${who} disagree: ${authorityText(origin.host, origin.port)} against ${quoted(text)}`),
        origin,
      );
    }
  }

  const { scheme, host, port, isDirect, via } = origin;
  if (via === 'proxy') return no(refuse('a request to a proxy names its host', 400), origin);
  return {
    origin,
    head: { scheme, host, port, isDirect, via, method, target: target.path, httpVersion, rawHeaders: headers.rawHeaders },
  };
}

interface Target {
  readonly scheme: Origin['scheme'] | undefined;
  readonly authority: string | undefined;
  /** Origin form, or `*`. */
  readonly path: string;
}

function splitTarget({ target, authority, method }: Written): Target | undefined {
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target)) return undefined;
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) return { scheme: undefined, authority, path: target };
  const absolute = /^(https?):\/\/([^/?]+)(\/[^]*|\?[^]*)?$/i.exec(target);
  if (!absolute?.[1] || !absolute[2] || authority !== undefined) return undefined;
  const path = absolute[3] ?? '/';
  return {
    scheme: absolute[1].toLowerCase() === 'https' ? 'https' : 'http',
    authority: absolute[2],
    path: path.startsWith('?') ? `/${path}` : path,
  };
}

/** The origin of this request: the connection's own, or the one that a request to the proxy names. */
function locate(connection: Origin, target: Target, places: Places): { readonly origin: Origin } | { readonly refusal: Refusal } {
  if (connection.via !== 'proxy') {
    if (target.scheme !== undefined && target.scheme !== connection.scheme) {
      return { refusal: refuse(`the connection and the request target disagree: ${connection.scheme} against ${target.scheme}`) };
    }
    return { origin: connection };
  }
  if (target.authority === undefined || target.scheme === undefined) {
    return { refusal: refuse('a request to the proxy names its host', 400) };
  }
  const named = locateAuthority(connection, target.authority, target.scheme, places);
  return named ? { origin: named } : { refusal: refuse(`not a host that can be reached: ${quoted(target.authority)}`) };
}

/** What a program means that asks the proxy for this authority; `undefined` when it is no host, or one that only exists inside. */
export function locateAuthority(connection: Origin, text: string, scheme: Origin['scheme'], places: Places): Origin | undefined {
  const authority = wireAuthority(text);
  if (!authority) return undefined;
  const port = authority.port ?? defaultPort(scheme);
  if (places.isGateway(authority.host, port)) return originOf(connection.socket, scheme, authority.host, port, 'gateway');
  const host = places.nameOf(authority.host) ?? authority.host;
  return isLocalName(host) ? undefined : originOf(connection.socket, scheme, host, port, 'connect');
}

function agrees(origin: Origin, text: string, places: Places): boolean {
  const authority = wireAuthority(text);
  if (!authority) return false;
  const port = authority.port ?? defaultPort(origin.scheme);
  if (origin.via === 'gateway') return port === origin.port && places.isGateway(authority.host, port);
  return port === origin.port && (authority.host === origin.host || places.nameOf(authority.host) === origin.host);
}

function defaultPort(scheme: Origin['scheme']): number {
  return scheme === 'https' ? 443 : 80;
}

/** A hostile text for a message: bounded, escaped. */
export function quoted(text: string): string {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return `"${shown.replace(/[^\x20-\x7e…]|["\\]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

/** Fields of one connection, not of the message (RFC 9110 section 7.6.1). `expect` is answered here, before the body is read. */
const hopByHop = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** What `Connection` must not take away: the message would mean something else without it. */
const essential = new Set(['host', 'content-length', 'content-type', 'content-encoding', 'authorization', 'cookie']);

type EndToEnd = { readonly rawHeaders: readonly string[]; readonly hosts: readonly string[] } | { readonly refusal: Refusal };

function endToEnd({ rawHeaders, httpVersion }: Written): EndToEnd {
  const kept: string[] = [];
  const hosts: string[] = [];
  const cookies: string[] = [];
  const lengths: string[] = [];
  const codings: string[] = [];
  const nominated = new Set<string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'host') hosts.push(value);
    else if (lower === 'content-length') lengths.push(value);
    else if (lower === 'transfer-encoding') codings.push(value);
    else if (lower === 'connection') for (const option of value.split(',')) nominated.add(option.trim().toLowerCase());
    if (httpVersion === '2.0' && lower === 'cookie') cookies.push(value);
    else if (!hopByHop.has(lower)) kept.push(name, value);
  }
  const framing = framingProblem(lengths, codings, httpVersion);
  if (framing !== undefined) return { refusal: refuse(framing, 400) };
  for (const name of nominated) if (essential.has(name)) return { refusal: refuse(`Connection names ${quoted(name)}`, 400) };
  // RFC 9113 section 8.2.3: HTTP/2 may split one cookie header into many; elsewhere it is one.
  if (cookies.length > 0) kept.push('cookie', cookies.join('; '));
  return { rawHeaders: nominated.size === 0 ? kept : without(kept, nominated), hosts };
}

function without(rawHeaders: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!names.has(name.toLowerCase())) kept.push(name, rawHeaders[i + 1] ?? '');
  }
  return kept;
}

/** RFC 9112 section 6: two ways to say where a body ends, or one that is said twice, is how requests are smuggled. */
function framingProblem(lengths: readonly string[], codings: readonly string[], httpVersion: Written['httpVersion']): string | undefined {
  if (lengths.length > 1) return 'more than one Content-Length';
  if (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0])) return 'a Content-Length that is no length';
  if (codings.length === 0) return undefined;
  if (httpVersion !== '1.1') return `Transfer-Encoding in HTTP/${httpVersion}`;
  if (lengths.length > 0) return 'both Content-Length and Transfer-Encoding';
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') return 'a Transfer-Encoding other than chunked';
  return undefined;
}
