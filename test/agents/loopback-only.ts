// Runs an agent without Intramur, and without the network: in a namespace with nothing but a loopback interface, on which one port
// leads to the gateway. An agent is somebody else's program; a test must not let it call home.
//
// As a program: `node loopback-only.ts SOCKET PORT COMMAND ARG…` stands in the namespace, forwards the port to the socket and runs
// the command.
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '../..');

export interface Gate {
  /** Starts a command in a namespace of its own; writes go to `workspace`, `home` and a /tmp of its own. */
  start(
    command: readonly string[],
    options: { readonly workspace: string; readonly home: string; readonly env: NodeJS.ProcessEnv },
  ): ChildProcess;
  close(): Promise<void>;
}

/** @param url the gateway's, on loopback */
export async function openGate(url: string, dir: string): Promise<Gate> {
  const port = Number(new URL(url).port);
  const socket = path.join(dir, 'gate');
  const server = forward({ path: socket }, { port, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    start(command, { workspace, home, env }) {
      const writable = [workspace, home].flatMap((place) => ['--bind', place, place]);
      const readable = [root, fs.realpathSync(path.join(root, 'node_modules')), socket].flatMap((place) => ['--ro-bind', place, place]);
      return spawn(
        'bwrap',
        [
          ...['--unshare-net', '--unshare-pid', '--unshare-ipc', '--die-with-parent', '--new-session', '--clearenv'],
          ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', ...readable, ...writable, '--chdir', workspace],
          ...Object.entries({ PATH: process.env['PATH'], LANG: 'C.UTF-8', NO_COLOR: '1', ...env, HOME: home }).flatMap(([name, value]) => [
            '--setenv',
            name,
            value ?? '',
          ]),
          ...['--', process.execPath, import.meta.filename, socket, String(port), ...command],
        ],
        { stdio: 'pipe' },
      );
    },
    async close() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(from: net.ListenOptions, to: net.NetConnectOpts): net.Server {
  const server = net.createServer((client) => {
    const upstream = net.connect(to);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  return server.listen(from);
}

if (process.argv[1] === import.meta.filename) {
  const [socket = '', port = '', program = '', ...args] = process.argv.slice(2);
  const server = forward({ port: Number(port), host: '127.0.0.1' }, { path: socket });
  server.once('listening', () => {
    spawn(program, args, { stdio: 'inherit' }).once('exit', (code) => process.exit(code ?? 1));
  });
}
