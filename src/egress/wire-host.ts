// Host names as they stand on the wire (Host, `:authority`, CONNECT, SNI, DNS). Stricter than what people may write in a
// configuration: here every byte was written by a program, and a spelling that only some parsers accept is a way around the others.
import { isIP } from 'node:net';
import { canonicalHost } from '../core/index.ts';

export interface Authority {
  readonly host: string;
  /** `undefined`: none was written. */
  readonly port: number | undefined;
}

/** The canonical form of a host on the wire; `undefined` for control bytes, blanks, user information and what else is no host. */
export function wireHost(text: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined;
  const host = canonicalHost(text);
  return host === undefined || /(?:^|\.)-/.test(host) ? undefined : host;
}

/** `host`, `host:port`, `[v6]:port`; `undefined` when it is not exactly that. */
export function wireAuthority(text: string): Authority | undefined {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]@]+)(?::(\d{1,5}))?$/.exec(text);
  const host = wireHost(match?.[1] ?? '');
  if (host === undefined) return undefined;
  const digits = match?.[2];
  if (digits === undefined) return { host, port: undefined };
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** A name that RFC 6761 section 6.3 reserves for the machine that asks: outside it would mean the host, not the sandbox. */
export function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** An address as `socket.localAddress` gives it, in canonical form, IPv4-mapped ones as IPv4. */
export function dialledAddress(localAddress: string | undefined): string | undefined {
  if (localAddress === undefined) return undefined;
  const address = canonicalHost(localAddress.replace(/%.*$/s, ''));
  return address !== undefined && isIP(address) !== 0 ? address : undefined;
}

/** `host:port`, IPv6 in brackets. */
export function authorityText(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
