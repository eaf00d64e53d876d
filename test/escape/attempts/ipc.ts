// Meeting a process of the host: sockets, shared memory, signals.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Attempt, Evidence, Outside } from '../attempt.ts';

const group = 'ipc';

function say(socketPath: string): Promise<Evidence> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: socketPath });
    let text = '';
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

const sockets = [
  ...[
    '/var/run/docker.sock',
    '/run/docker.sock',
    '/run/containerd/containerd.sock',
    '/run/podman/podman.sock',
    '/run/dbus/system_bus_socket',
  ],
  ...[
    '/tmp/.X11-unix/X0',
    '/run/systemd/private',
    '/run/user/0/bus',
    '/run/user/1000/bus',
    '/run/user/1000/gnupg/S.gpg-agent',
    '/run/snapd.socket',
  ],
];

const killed = ({ hostProcessLives }: Outside): boolean => !hostProcessLives;

export const ipc: readonly Attempt[] = [
  ...sockets.map((at): Attempt => ({ id: `connect to ${at}`, group, layer: 'mount namespace', inside: () => fs.existsSync(at) })),
  {
    id: 'a socket in the home of the user',
    group,
    layer: 'mount namespace',
    inside: ({ home }) => say(path.join(home, '.local/state/intramur/daemon.sock')),
  },
  { id: 'a socket beside the workspace', group, layer: 'mount namespace', inside: ({ beside }) => say(path.join(beside, 'agent.sock')) },
  { id: 'an abstract socket', group, layer: 'network namespace', inside: ({ abstractName }) => say(`\0${abstractName}`) },
  {
    id: 'abstract sockets of the host',
    group,
    layer: 'network namespace',
    inside: ({ abstractName }) => fs.readFileSync('/proc/net/unix', 'latin1').includes(abstractName),
  },
  {
    id: 'shared memory in /dev/shm',
    group,
    layer: 'mount namespace',
    inside: ({ hostPid }) => fs.readFileSync(`/dev/shm/intramur-escape-${hostPid}`, 'latin1'),
  },
  {
    id: 'System V segments of the host',
    group,
    layer: 'ipc namespace',
    inside: ({ shmKey }) => shmKey !== 0 && fs.readFileSync('/proc/sysvipc/shm', 'latin1').includes(` ${shmKey} `),
  },
  ...(['SIGTERM', 'SIGSTOP', 'SIGKILL'] as const).map(
    (signal): Attempt => ({
      id: `${signal} to a process of the host`,
      group,
      layer: 'pid namespace',
      inside: ({ hostPid }) => process.kill(hostPid, signal),
      escaped: killed,
    }),
  ),
  {
    id: 'descriptors of the caller',
    group,
    layer: 'closed descriptors',
    // The name of the caller's directory is a canary.
    inside: () => descriptors().map(target).join(' '),
  },
  {
    id: 'climbing from a descriptor of the caller',
    group,
    layer: 'closed descriptors',
    inside: () =>
      descriptors()
        .map((fd) => first(`/proc/self/fd/${fd}/../.ssh/id_ed25519`) + first(`/proc/self/fd/${fd}/.ssh/id_ed25519`))
        .join(''),
  },
];

const descriptors = (): string[] => fs.readdirSync('/proc/self/fd');

function target(fd: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

function first(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
