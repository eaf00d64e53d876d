// Which listeners are opened inside, and how they come out: as handles on Node's own channel, each with its number in the list.
import { Socket as DatagramSocket } from 'node:dgram';
import { IntramurError } from '../core/index.ts';
import type { Listener } from './init-program.ts';
import type { LaunchPlan, Listeners, ListenHandle, Listening, Role } from './plan.ts';
import { askDoctor } from './unavailable.ts';

export interface Planned {
  readonly listener: Listener;
  readonly role: Role | 'dns' | 'dns-elsewhere';
}

export function listenersOf(plan: Pick<LaunchPlan, 'ports' | 'proxyPort' | 'gatewayPort'>, hasIpv6: boolean): Planned[] {
  const family = hasIpv6 ? 6 : 4;
  const own = [53, plan.proxyPort, plan.gatewayPort];
  const everywhere = (port: number): Listener => ({ protocol: 'tcp', family, address: 'any', port });
  const local = (port: number): Listener => ({ protocol: 'tcp', family: 4, address: 'loopback', port });
  const dns = (family: 4 | 6, address: 'any' | 'loopback'): Listener => ({ protocol: 'udp', family, address, port: 53 });
  return [
    ...[...new Set(plan.ports)].filter((port) => !own.includes(port)).map((port): Planned => ({ role: 'any', listener: everywhere(port) })),
    { role: 'proxy', listener: local(plan.proxyPort) },
    { role: 'gateway', listener: local(plan.gatewayPort) },
    { role: 'dns-tcp', listener: everywhere(53) },
    { role: 'dns', listener: dns(4, 'loopback') },
    { role: 'dns-elsewhere', listener: dns(4, 'any') },
    ...(hasIpv6 ? [{ role: 'dns-elsewhere', listener: dns(6, 'any') } as const] : []),
  ];
}

export function listenersFrom(planned: readonly Planned[], received: ReadonlyMap<number, unknown>): Listeners {
  const tcp: Listening[] = [];
  const dns: DatagramSocket[] = [];
  const dnsElsewhere: DatagramSocket[] = [];
  planned.forEach(({ role, listener }, index) => {
    const handle = received.get(index);
    if (handle instanceof DatagramSocket) (role === 'dns' ? dns : dnsElsewhere).push(handle);
    else if (isListenHandle(handle) && role !== 'dns' && role !== 'dns-elsewhere') tcp.push({ role, port: listener.port, handle });
  });
  const [resolver] = dns;
  if (!resolver || tcp.length + 1 + dnsElsewhere.length !== planned.length) {
    throw new IntramurError('SANDBOX_SETUP', 'a listener of the sandbox could not be taken over', { hint: askDoctor });
  }
  return { tcp, dns: resolver, dnsElsewhere };
}

function isListenHandle(value: unknown): value is ListenHandle {
  return typeof value === 'object' && value !== null && 'fd' in value && typeof value.fd === 'number' && value.fd >= 0;
}

/** The number that a message of the init carries. */
export function indexOf(message: unknown): number | undefined {
  return typeof message === 'object' && message !== null && 'listener' in message && typeof message.listener === 'number'
    ? message.listener
    : undefined;
}

export function closeHandle(handle: unknown): void {
  if (typeof handle !== 'object' || handle === null || !('close' in handle) || typeof handle.close !== 'function') return;
  try {
    handle.close();
  } catch {
    // Closed by whoever took it.
  }
}
