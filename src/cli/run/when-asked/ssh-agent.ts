// The user's SSH agent for a session: a socket of the launcher's own inside, behind which the filter stands, and the keys of the hosts that
// the session may reach, so that a first connection need not be trusted blindly.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { DaemonClient, OpenReply } from '../../../daemon/index.ts';
import { serveSshAgent } from '../../../egress/index.ts';
import type { LaunchPlan } from '../../../sandbox/index.ts';
import { knownHostsFor } from './known-hosts.ts';

const pathInside = '/run/intramur/ssh-agent';
const maxConnections = 64;

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
  // Short, because the path of a socket is; 0700 from the start, because the socket is not.
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-'));
  const source = path.join(directory, 'agent');
  const close = (): void => {
    server.close();
    fs.rmSync(directory, { recursive: true, force: true });
  };
  const server = net.createServer((socket) => {
    void serveSshAgent(socket, {
      connect: () => net.connect(agentSocket),
      usable: (names) => client.usableKeys(token, names),
      decide: (name, what) => client.decideSignature(token, { name, ...(what === undefined ? {} : { what }) }),
    });
  });
  server.maxConnections = maxConnections;
  server.unref();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(source, resolve);
    await promise;
    giveToOwner(workspace, directory, source);
  } catch (fault) {
    close();
    throw fault;
  }
  const known = knownHostsFor(sshHosts, [path.join(home, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts']);
  return {
    sockets: [{ source, path: pathInside }],
    env: { SSH_AUTH_SOCK: pathInside },
    homeFiles: known === '' ? [] : [{ path: '.ssh/known_hosts', text: known }],
    close,
  };
}

/** Started by root, the sandbox runs as the owner of the workspace. */
function giveToOwner(workspace: string, ...files: readonly string[]): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = fs.statSync(workspace);
  for (const file of files) fs.chownSync(file, uid, gid);
}
