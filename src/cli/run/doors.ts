// The sandbox's listeners, taken over: from here on whatever a program dials is answered. The way out itself is loaded while the program
// starts; who comes before it is ready waits at the door. INVARIANT: nobody passes a door without it.
import type dgram from 'node:dgram';
import net from 'node:net';
import type { Egress } from '../../egress/index.ts';
import type { Listeners } from '../../sandbox/index.ts';

export interface Doors {
  close(): void;
}

/** @param egress rejects when there is no way out: every door then closes on who comes */
export function openDoors({ tcp, dns, dnsElsewhere }: Listeners, egress: Promise<Egress>): Doors {
  const servers = tcp.map(({ role, port, handle }) => {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {}); // a program that hangs up
      egress.then(
        (way) => (role === 'dns-tcp' ? way.dnsTcp(socket) : way.accept(socket, role, port)),
        () => socket.destroy(),
      );
    });
    server.listen(handle);
    return server;
  });
  const sockets: dgram.Socket[] = [dns, ...dnsElsewhere];
  for (const socket of sockets) {
    socket.on('message', (query, from) => {
      egress.then(
        (way) => {
          const answer = way.answerDns(query, 'udp', socket === dns);
          if (answer && socket === dns && sockets.length > 0) dns.send(answer, from.port, from.address);
        },
        () => {},
      );
    });
  }
  return {
    close() {
      for (const server of servers) server.close();
      for (const socket of sockets.splice(0)) socket.close();
    },
  };
}
