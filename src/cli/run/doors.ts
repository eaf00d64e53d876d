// The sandbox's listeners, taken over: whatever a program dials is answered. The way out itself is loaded when somebody dials, or a little
// after the program has started; who comes before it is ready waits at the door. INVARIANT: nobody passes a door without it.
import type dgram from 'node:dgram';
import net from 'node:net';
import type { Egress } from '../../egress/index.ts';
import type { Listeners } from '../../sandbox/index.ts';

export interface Doors {
  /** Accepts connections. Until then they wait in the kernel, so the program may be started first. */
  open(): void;
  close(): void;
}

/** @param way loads the way out when it is first asked for it; rejects when there is none: the door then closes on who comes */
export function doorsOf({ tcp, dns, dnsElsewhere }: Listeners, way: () => Promise<Egress>): Doors {
  const servers: net.Server[] = [];
  const sockets: dgram.Socket[] = [dns, ...dnsElsewhere];
  // Not later: Node reads these from the moment they are handed over.
  for (const socket of sockets) {
    socket.on('message', (query, from) => {
      way().then(
        (egress) => {
          const answer = egress.answerDns(query, 'udp', socket === dns);
          if (answer && socket === dns && sockets.length > 0) dns.send(answer, from.port, from.address);
        },
        () => {},
      );
    });
  }
  return {
    open() {
      for (const { role, port, handle } of tcp) {
        const server = net.createServer({ allowHalfOpen: true }, (socket) => {
          socket.on('error', () => {}); // a program that hangs up
          way().then(
            (egress) => (role === 'dns-tcp' ? egress.dnsTcp(socket) : egress.accept(socket, role, port)),
            () => socket.destroy(),
          );
        });
        servers.push(server.listen(handle));
      }
    },
    close() {
      for (const server of servers.splice(0)) server.close();
      for (const socket of sockets.splice(0)) socket.close();
    },
  };
}
