// From a name to the addresses that may be dialled for it. INVARIANT: a socket is only ever opened to an address that came out of
// here, so that an answer which changes between check and use (DNS rebinding) changes nothing.
import dns from 'node:dns';
import net from 'node:net';
import { type Config, isInside } from '../config/index.ts';
import { canonicalHost, IntramurError, type Perimeter } from '../core/index.ts';
import { reachOf } from './address.ts';

/**
 * `inside`: loopback, private or one of the company's ranges. `any`: wherever the name leads, for targets outside. `named`: an
 * exchange that a program asked for by itself: a name must not lead to this machine or its link.
 */
export type Check = 'inside' | 'any' | 'named';

/** How strictly the address of a place in this perimeter is looked at. */
export function checkFor(perimeter: Perimeter): Check {
  return perimeter === 'onprem' ? 'inside' : 'any';
}

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface Dialled {
  /** Checked, in the order to try. */
  readonly addresses: readonly Address[];
  readonly port: number;
}

export type Resolve = (host: string, port: number, check: Check) => Promise<Dialled>;

export function createResolve(config: Pick<Config, 'resolve' | 'resolvers' | 'inside'>): Resolve {
  const lookup = config.resolvers.length > 0 ? lookupAt(config.resolvers) : systemLookup;
  return async (host, port, check) => {
    const name = canonicalHost(host);
    if (name === undefined) throw new IntramurError('UPSTREAM_UNREACHABLE', 'the host is neither a name nor an address');
    // A rule of the user's own configuration is trusted as it stands.
    const rule = config.resolve.find((entry) => entry.port === port && entry.host === name);
    if (rule) return { addresses: [withFamily(rule.address)], port: rule.targetPort };

    const isLocal = name === 'localhost' || name.endsWith('.localhost');
    // RFC 6761: `localhost` is never asked of a resolver. An address, or localhost, is what the decision named: no name misleads.
    const addresses = net.isIP(name) ? [name] : isLocal ? ['127.0.0.1', '::1'] : await lookup(name);
    const passes = (address: string): boolean => {
      if (check === 'inside') return isInside(address, config.inside);
      const reach = reachOf(address);
      return reach === 'ordinary' || (reach !== 'unusable' && (check === 'any' || isLocal || net.isIP(name) !== 0));
    };
    const allowed = addresses.filter(passes);
    if (allowed.length === 0) throw new IntramurError('UPSTREAM_UNREACHABLE', refusalFor(check, addresses));
    return { addresses: allowed.map(withFamily), port };
  };
}

function refusalFor(check: Check, addresses: readonly string[]): string {
  if (addresses.length === 0) return 'the name has no address';
  if (check === 'inside') return 'its address is not inside: neither loopback nor private nor listed under "inside"';
  return `the name leads to an address that it must not have (${[...new Set(addresses.map(reachOf))].join(', ')})`;
}

function withFamily(address: string): Address {
  return { address, family: net.isIPv6(address) ? 6 : 4 };
}

async function systemLookup(name: string): Promise<readonly string[]> {
  try {
    const found = await dns.promises.lookup(name, { all: true, order: 'verbatim' });
    return found.map(({ address }) => address);
  } catch (cause) {
    throw new IntramurError('UPSTREAM_UNREACHABLE', 'the name could not be resolved', { cause });
  }
}

/** Asks only these servers, over UDP as c-ares does it (TCP when an answer was cut). */
function lookupAt(servers: readonly string[]): (name: string) => Promise<readonly string[]> {
  const resolver = new dns.promises.Resolver({ timeout: 1500, tries: 2 });
  resolver.setServers([...servers]);
  return async (name) => {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    throw new IntramurError('UPSTREAM_UNREACHABLE', 'the name could not be resolved');
  };
}
