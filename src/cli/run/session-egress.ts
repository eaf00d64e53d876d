// The egress of one session: the sandbox's listeners on one side, the daemon on the other. It decides nothing.
import dgram from 'node:dgram';
import net from 'node:net';
import type { DaemonClient, OpenReply } from '../../daemon/index.ts';
import { createAuthority, createEgress } from '../../egress/index.ts';
import type { Listeners } from '../../sandbox/index.ts';

export interface SessionEgress {
  /** INVARIANT: when this returns, every listener of the sandbox is served; only then may the program start. */
  adopt(listeners: Listeners): void;
  close(): Promise<void>;
}

export function createSessionEgress(client: DaemonClient, { token, authority }: OpenReply, gatewayPort: number): SessionEgress {
  const egress = createEgress({
    authority: createAuthority(authority),
    gatewayHosts: [`127.0.0.1:${gatewayPort}`, `localhost:${gatewayPort}`],
    async forward(head, body, signal) {
      try {
        return await client.forward(token, head, body, signal);
      } catch (fault) {
        const { refuseLocally } = await import('./refuse-locally.ts');
        const refused = refuseLocally(head, fault);
        if (!refused) throw fault;
        return refused;
      }
    },
    async connect(attempt) {
      const { host, port, protocol, isDirect, detail } = attempt;
      const refused = detail?.['refused'];
      const answer = await client.connect({
        token,
        attempt: { host, port, protocol, isDirect, ...(refused === undefined ? {} : { refused }) },
      });
      return answer.effect === 'deny' ? answer : { effect: 'allow', open: () => Promise.resolve(answer.stream) };
    },
  });
  const servers: net.Server[] = [];
  const sockets: dgram.Socket[] = [];
  return {
    adopt({ tcp, dns, dnsElsewhere }) {
      for (const { role, port, handle } of tcp) {
        const server = net.createServer({ allowHalfOpen: true }, (socket) => {
          if (role === 'dns-tcp') egress.dnsTcp(socket);
          else egress.accept(socket, role, port);
        });
        server.listen(handle);
        servers.push(server);
      }
      dns.on('message', (query, from) => {
        const answer = egress.answerDns(query, 'udp', true);
        if (answer) dns.send(answer, from.port, from.address);
      });
      for (const elsewhere of dnsElsewhere) elsewhere.on('message', (query) => void egress.answerDns(query, 'udp', false));
      sockets.push(dns, ...dnsElsewhere);
    },
    async close() {
      for (const server of servers) server.close();
      for (const socket of sockets.splice(0)) socket.close();
      await egress.close();
    },
  };
}
