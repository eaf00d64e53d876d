// Where a connection of the sandbox was going, as far as the connection itself tells: what each exchange on it must agree with.
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import type { ExchangeHead } from '../core/index.ts';

export interface Origin {
  /** The program's connection. */
  readonly socket: Socket;
  readonly scheme: ExchangeHead['scheme'];
  /** The name asked in DNS or CONNECT; the literal address of a direct attempt. */
  readonly host: string;
  readonly port: number;
  readonly isDirect: boolean;
  /** `proxy`: not known yet, the request itself says where it goes. */
  readonly via: ExchangeHead['via'] | 'proxy';
  /** Set when the connection contradicts itself: every exchange on it is refused with this reason. */
  readonly contradiction?: string;
}

/** What is meant by a target that was written out as `host:port`. */
export function originOf(socket: Socket, scheme: Origin['scheme'], host: string, port: number, via: ExchangeHead['via']): Origin {
  return { socket, scheme, host, port, isDirect: via !== 'gateway' && isIP(host) !== 0, via };
}

/** Who named the host of this connection, for messages. */
export function namedBy(origin: Origin): string {
  if (origin.via === 'connect') return 'CONNECT';
  if (origin.via === 'gateway') return 'the gateway';
  return origin.isDirect ? 'the dialled address' : 'DNS';
}
