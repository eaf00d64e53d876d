// Addresses that a name must not lead to: this machine, its link (where clouds keep their metadata), and what is no destination.
// An address that carries another inside (NAT64, 6to4, IPv4-compatible) is judged by both. Ranges after the IANA special-purpose
// registries (RFC 6890 and its updates).
import net from 'node:net';
import { canonicalHost } from '../core/index.ts';

export type Reach = 'loopback' | 'link-local' | 'unusable' | 'ordinary';

const ranges: readonly (readonly [address: string, bits: number, reach: Reach])[] = [
  ['0.0.0.0', 8, 'unusable'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['224.0.0.0', 3, 'unusable'],
  ['::', 128, 'unusable'],
  ['::1', 128, 'loopback'],
  ['fe80::', 10, 'link-local'],
  ['fd00:ec2::254', 128, 'link-local'],
  ['ff00::', 8, 'unusable'],
];

const lists = new Map<Reach, net.BlockList>();
for (const [address, bits, reach] of ranges) {
  const list = lists.get(reach) ?? new net.BlockList();
  lists.set(reach, list);
  list.addSubnet(address, bits, net.isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Where packets to this address end up. What is no address at all is `unusable`. */
export function reachOf(text: string): Reach {
  const address = canonicalHost(text.split('%')[0] ?? '');
  if (address === undefined || net.isIP(address) === 0) return 'unusable';
  const own = listed(address);
  if (own !== 'ordinary' || net.isIPv4(address)) return own;
  return (
    carriedBy(address)
      .map(listed)
      .find((reach) => reach !== 'ordinary') ?? 'ordinary'
  );
}

function listed(address: string): Reach {
  const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
  for (const [reach, list] of lists) if (list.check(address, family)) return reach;
  return 'ordinary';
}

/** Groups of the prefix after which an IPv4 address stands (RFC 6052, 8215, 3056, 4291, 5214 and 2765), and the group where it begins. */
const carriers: readonly (readonly [prefix: RegExp, at: number])[] = [
  [/^64:ff9b:/, 6],
  [/^2002:/, 1],
  [/^0:0:0:0:0:0:/, 6],
  [/^0:0:0:0:ffff:0:/, 6],
  [/^(?:[0-9a-f]+:){4}(?:0|200):5efe:/, 6],
];

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function carriedBy(address: string): readonly string[] {
  const [front = '', back] = address.split('::');
  const tail = groups(back ?? '');
  const all = [...groups(front), ...Array<string>(8 - groups(front).length - tail.length).fill('0'), ...tail];
  return carriers
    .filter(([prefix]) => prefix.test(all.join(':')))
    .map(([, at]) =>
      all
        .slice(at, at + 2)
        .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
        .join('.'),
    );
}
