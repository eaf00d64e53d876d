// An allowed connection that is not HTTP (git over ssh, for one): dialled by the gateway's connector, so that the resolved address
// is checked and pinned like any other, and counted.
import type { Duplex } from 'node:stream';
import type { EntryBody, NetConnect } from '../core/index.ts';
import type { Gateway } from '../gateway/index.ts';

export type Connected = Duplex;

export async function connectUpstream(
  { host, port }: Pick<NetConnect, 'host' | 'port'>,
  gateway: Gateway,
  ended: (outcome: Partial<EntryBody>) => void,
): Promise<Connected> {
  const socket = await gateway.dial({ host, port });
  socket.once('close', () => ended({ bytesOut: socket.bytesWritten, bytesIn: socket.bytesRead }));
  return socket;
}
