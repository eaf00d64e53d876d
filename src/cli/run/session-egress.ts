// The way out of one session: the daemon on its other side. It decides nothing.
import type { DaemonClient, OpenReply } from '../../daemon/index.ts';
import { createAuthority, createEgress, type Egress } from '../../egress/index.ts';

export function createSessionEgress(client: DaemonClient, { token, authority }: OpenReply, gatewayPort: number): Egress {
  return createEgress({
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
}
