// Who dials before the way out is loaded waits; where it cannot be loaded, the door closes on them and nothing was let through.
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Egress } from '../../egress/index.ts';
import { type Doors, doorsOf } from './doors.ts';

let doors: Doors | undefined;
let client: net.Socket | undefined;
afterEach(() => {
  client?.destroy();
  doors?.close();
});

async function dial(way: () => Promise<Egress>): Promise<net.Socket> {
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as net.AddressInfo;
  free.close();
  await once(free, 'close');
  // In place of a descriptor from inside: Node takes the address where there is none.
  const handle = { fd: -1, port, host: '127.0.0.1' };
  doors = doorsOf({ tcp: [{ role: 'any', port: 443, handle }], dns: dgram.createSocket('udp4'), dnsElsewhere: [] }, way);
  doors.open();
  client = net.connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.on('error', () => {});
  client.write('early bytes');
  return client;
}

it('a connection that comes early is answered once there is a way out', async () => {
  const way = Promise.withResolvers<Egress>();
  const socket = await dial(() => way.promise);
  const seen: unknown[] = [];
  way.resolve({
    accept(accepted, role, port) {
      seen.push(role, port);
      accepted.end('served');
    },
    answerDns: () => undefined,
    dnsTcp: () => {},
    unanswered: () => {},
    close: async () => {},
  });
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect([String(answer), ...seen]).toEqual(['served', 'any', 443]);
});

it('without a way out the door closes, and nothing is answered', async () => {
  const way = Promise.withResolvers<Egress>();
  const socket = await dial(() => way.promise);
  const answered: Buffer[] = [];
  socket.on('data', (chunk) => answered.push(chunk));
  way.reject(new Error('it could not be loaded'));
  await new Promise((resolve) => socket.once('close', resolve)); // by a reset: what it sent was not read
  expect(answered).toEqual([]);
});
