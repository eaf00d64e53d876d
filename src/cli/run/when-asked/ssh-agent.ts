// The user's SSH agent for a session: a socket of the launcher's own inside, behind which the filter stands, and the keys of the hosts that
// the session may reach, so that a first connection need not be trusted blindly.
import net from 'node:net';
import path from 'node:path';
import type { DaemonClient, OpenReply } from '../../../daemon/index.ts';
import { serveSshAgent } from '../../../egress/index.ts';
import type { LaunchPlan } from '../../../sandbox/index.ts';
import { knownHostsFor } from './known-hosts.ts';
import { privateSocket } from './private-socket.ts';

const pathInside = '/run/intramur/ssh-agent';

export interface SessionSshAgent {
  readonly sockets: NonNullable<LaunchPlan['sockets']>;
  readonly env: Readonly<Record<string, string>>;
  readonly homeFiles: LaunchPlan['homeFiles'];
  close(): void;
}

/** @param agentSocket the user's own agent (`SSH_AUTH_SOCK`) */
export async function openSshAgent(
  client: DaemonClient,
  { token, sshHosts = [] }: OpenReply,
  { agentSocket, home, workspace }: { readonly agentSocket: string; readonly home: string; readonly workspace: string },
): Promise<SessionSshAgent> {
  const { socket, close } = await privateSocket(workspace, (connection) => {
    void serveSshAgent(connection, {
      connect: () => net.connect(agentSocket),
      usable: (names) => client.usableKeys(token, names),
      decide: (name, what) => client.decideSignature(token, { name, ...(what === undefined ? {} : { what }) }),
    });
  });
  const known = knownHostsFor(sshHosts, [path.join(home, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts']);
  return {
    sockets: [{ source: socket, path: pathInside }],
    env: { SSH_AUTH_SOCK: pathInside },
    homeFiles: known === '' ? [] : [{ path: '.ssh/known_hosts', text: known }],
    close,
  };
}
