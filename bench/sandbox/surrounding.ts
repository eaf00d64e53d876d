// The surroundings in which the same work is done.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { contentFd } from '../../src/sandbox/content-fd.ts';
import { type Launched, type LaunchPlan, launch } from '../../src/sandbox/index.ts';
import { seccompProgram } from '../../src/sandbox/seccomp.ts';

export const surroundings = ['host', 'bwrap', 'bare overlay', 'overlay', 'direct'] as const;
export type Surrounding = (typeof surroundings)[number];

/** A fresh layer for each run. */
export function layerOf(dir: string): { upper: string; work: string; remove(): void } {
  const session = path.join(dir, 'session');
  return {
    upper: path.join(session, 'upper'),
    work: path.join(session, 'work'),
    remove() {
      spawnSync('chmod', ['-R', 'u+rwX', session]);
      fs.rmSync(session, { recursive: true, force: true });
    },
  };
}

/** Namespaces, a read-only root, the workspace, and our filter: nothing more. */
export function bare(script: string, dir: string, workspace: string, isOverlay: boolean): void {
  const filter = contentFd(dir, seccompProgram(process.arch === 'arm64' ? 'arm64' : 'x64'));
  const [uid, gid] = [String(process.getuid?.() ?? 0), String(process.getgid?.() ?? 0)];
  const bwrap = [
    ...['/usr/bin/bwrap', '--unshare-all', '--uid', uid, '--gid', gid, '--cap-drop', 'ALL', '--seccomp', '3'],
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--bind', workspace, workspace],
    ...['--chdir', workspace, '/bin/bash', '-c', script],
  ];
  const { upper, work } = layerOf(dir);
  if (isOverlay) for (const at of [upper, work]) fs.mkdirSync(at, { recursive: true });
  // The options of `initProgram`.
  const options = `lowerdir=${workspace},upperdir=${upper},workdir=${work},userxattr`;
  const mounted = [
    '--user',
    '--map-root-user',
    '--mount',
    '/bin/sh',
    '-c',
    'mount -t overlay -o "$1" overlay "$2" && shift 2 && exec "$@"',
  ];
  const [command = '', ...args] = isOverlay ? ['unshare', ...mounted, 'sh', options, workspace, ...bwrap] : bwrap;
  const { status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe', filter] });
  fs.closeSync(filter);
  if (status !== 0) throw new Error(`bubblewrap ended with ${status}: ${stderr.toString()}`);
}

export async function inside(mode: LaunchPlan['mode'], argv: readonly string[], dir: string, workspace: string): Promise<Launched> {
  const { upper, work } = layerOf(dir);
  const launched = await launch(
    {
      argv,
      workspace,
      cwd: workspace,
      mode,
      overlay: { upper, work },
      env: { PATH: '/usr/bin:/bin', HOME: '/home/bench' },
      home: '/home/bench',
      homeFiles: [],
      readOnly: [],
      caPem: '',
      ports: [443],
      proxyPort: 3128,
      gatewayPort: 4180,
      limits: { pids: 4096, fileBytes: 1 << 30, tmpfsBytes: 1 << 28 },
      cacheDir: path.join(dir, 'cache'),
      hostName: 'bench',
      userName: 'bench',
    },
    {
      listening({ tcp, dns, dnsElsewhere }) {
        for (const { handle } of tcp) net.createServer().listen(handle).unref();
        for (const socket of [dns, ...dnsElsewhere]) socket.close();
      },
    },
  );
  const { code } = await launched.exited;
  if (code !== 0) throw new Error(`the work ended with ${code}`);
  return launched;
}
