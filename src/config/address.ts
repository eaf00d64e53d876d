// Address ranges that count as inside: loopback, private (RFC 1918, RFC 4193) and what `inside` of the configuration names.
import { BlockList, isIP } from 'node:net';
import { canonicalHost } from '../core/index.ts';
import type { ResolveRule } from './config.ts';

const always = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7'];

interface Range {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `10.1.0.0/16`, `fd00::/8`; a bare address is a range of one. */
export function parseCidr(text: string): Range | undefined {
  const match = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = match?.[1];
  const version = address === undefined ? 0 : isIP(address);
  if (address === undefined || version === 0) return undefined;
  const widest = version === 4 ? 32 : 128;
  const bits = match?.[2] === undefined ? widest : Number(match[2]);
  return bits <= widest ? { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' } : undefined;
}

/** Whether a literal address lies inside. `inside` holds CIDRs as the configuration has them. */
export function isInside(address: string, inside: readonly string[]): boolean {
  const host = canonicalHost(address);
  const version = host === undefined ? 0 : isIP(host);
  if (host === undefined || version === 0) return false;
  const ranges = new BlockList();
  for (const cidr of [...always, ...inside]) {
    const range = parseCidr(cidr);
    if (range) ranges.addSubnet(range.address, range.bits, range.family);
  }
  return ranges.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

const endpointPattern = String.raw`(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+)`;

/** `HOST:PORT:ADDR:PORT`; an IPv6 address stands in brackets. */
export function parseResolveRule(text: string): ResolveRule | undefined {
  const match = new RegExp(`^${endpointPattern}:(\\d{1,5}):${endpointPattern}:(\\d{1,5})$`).exec(text);
  const host = canonicalHost(match?.[1] ?? '');
  const address = canonicalHost(match?.[3] ?? '');
  const port = parsePort(match?.[2]);
  const targetPort = parsePort(match?.[4]);
  if (host === undefined || address === undefined || isIP(address) === 0 || port === undefined || targetPort === undefined)
    return undefined;
  return { host, port, address, targetPort };
}

/** `ADDR` or `ADDR:PORT` of a DNS server, as `ADDR:PORT` with IPv6 in brackets. */
export function parseResolver(text: string): string | undefined {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[0-9.]+)(?::(\d{1,5}))?$/.exec(text);
  const address = canonicalHost(match?.[1] ?? '');
  const port = match?.[2] === undefined ? 53 : parsePort(match[2]);
  if (address === undefined || isIP(address) === 0 || port === undefined) return undefined;
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A host name or address as grants have it; `*.example.org` stands for the names below `example.org`. */
export function parseGrantedHost(text: string): string | undefined {
  const below = text.startsWith('*.') ? canonicalHost(text.slice(2)) : undefined;
  if (below !== undefined) return isIP(below) === 0 && below.includes('.') ? `*.${below}` : undefined;
  return canonicalHost(text);
}

/** What a grant without ports opens. */
export const defaultPorts: readonly number[] = [80, 443];

function parsePort(text: string | undefined): number | undefined {
  const port = Number(text ?? '');
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
