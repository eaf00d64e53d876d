// Runs outside, as the user whose sandbox is tried: lays out the canaries, launches the attempts, and judges by what it finds.
// Prints one JSON document.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Listeners } from '../../src/sandbox/index.ts';
import { launch, resolveProgram } from '../../src/sandbox/index.ts';
import { workspaceTree } from '../../src/sandbox/workspace-tree.ts';
import type { Outside, Place } from './attempt.ts';
import { secretVariables } from './attempts/credentials.ts';
import { secretFiles } from './attempts/files.ts';
import { attempts } from './attempts/index.ts';
import { existing } from './attempts/persistence.ts';

export interface Verdict {
  readonly id: string;
  readonly contained: boolean;
  /** What the inside got, cut short; for the message of a failing test. */
  readonly seen: string;
}

export interface Report {
  readonly verdicts: readonly Verdict[];
  /** Files of the workspace that are neither as before nor asked for. */
  readonly stray: readonly string[];
  readonly exitCode: number | null;
}

const [mode, scratch] = process.argv.slice(2);
if ((mode !== 'overlay' && mode !== 'direct') || scratch === undefined) throw new Error('usage: outside.ts overlay|direct DIRECTORY');

const canary = `CANARY-${randomBytes(8).toString('hex')}`;
const home = path.join(scratch, 'home');
const workspace = path.join(home, 'work', 'project');
const beside = path.join(home, 'work');
const write = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
};
for (const name of secretFiles) write(path.join(home, name), canary);
for (const name of existing) write(path.join(workspace, name), 'as before\n');
for (const name of ['.git/HEAD', 'nested/deep/er/.git/HEAD']) write(path.join(workspace, name), 'ref: refs/heads/main\n');
for (const name of secretVariables) process.env[name] ??= canary;

let hostConnections = 0;
const greeter = (): net.Server =>
  net.createServer((socket) => {
    hostConnections++;
    socket.on('error', () => {});
    socket.end(canary);
  });
const listening = (server: net.Server, options: net.ListenOptions): Promise<void> =>
  new Promise((resolve) => server.listen(options, resolve));
const tcp = greeter();
const abstractName = `intramur-${randomBytes(6).toString('hex')}`;
const sockets = [greeter(), greeter(), greeter()] as const;
await listening(tcp, { port: 0, host: '0.0.0.0' });
await listening(sockets[0], { path: `\0${abstractName}` });
await listening(sockets[1], { path: path.join(beside, 'agent.sock') });
fs.mkdirSync(path.join(home, '.local/state/intramur'), { recursive: true });
await listening(sockets[2], { path: path.join(home, '.local/state/intramur/daemon.sock') });
const address = tcp.address();
const bystander = spawn('/bin/sleep', ['120'], { env: { SECRET: canary }, stdio: 'ignore' });
const hostPid = bystander.pid ?? 0;
fs.writeFileSync(`/dev/shm/intramur-escape-${hostPid}`, canary);
const shm = /(\d+)\s*$/.exec(spawnSync('ipcmk', ['-M', '64'], { encoding: 'utf8' }).stdout ?? '')?.[1];
const shmKey = Number(
  shm === undefined
    ? 0
    : (fs
        .readFileSync('/proc/sysvipc/shm', 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .find((row) => row[1] === shm)?.[0] ?? 0),
);

const place: Place = {
  home,
  workspace,
  beside,
  hostPid,
  hostPort: typeof address === 'object' ? (address?.port ?? 0) : 0,
  hostAddress:
    Object.values(os.networkInterfaces())
      .flat()
      .find((one) => one && !one.internal && one.family === 'IPv4')?.address ?? '127.0.0.1',
  abstractName,
  shmKey,
  limits: { pids: 96, fileBytes: 4 << 20, tmpfsBytes: 16 << 20 },
  mode,
};

const arrived: string[] = [];
let queriesElsewhere = 0;
function serve({ tcp: listeners, dns, dnsElsewhere }: Listeners): void {
  for (const { handle, port } of listeners) {
    net
      .createServer((socket) => {
        arrived.push(`${(socket.localAddress ?? '').replace(/^::ffff:/, '')}:${port}`);
        socket.on('error', () => {});
        socket.destroy();
      })
      .listen(handle)
      .unref();
  }
  dns.unref();
  for (const socket of dnsElsewhere) {
    socket.on('message', () => {
      queriesElsewhere++;
    });
    socket.unref();
  }
}

const kit = path.resolve(import.meta.dirname, '../..');
const node = resolveProgram(process.execPath, {}, '/');
const stdoutFile = path.join(scratch, 'inside.jsonl');
const before = listing(workspace);
const launched = await launch(
  {
    argv: [
      '/bin/sh',
      '-c',
      'exec "$0" "$@" > inside.jsonl 2> inside.err',
      process.execPath,
      path.join(kit, 'test/escape/inside.ts'),
      JSON.stringify(place),
    ],
    workspace,
    cwd: workspace,
    mode,
    ...(mode === 'overlay'
      ? { overlay: { upper: path.join(scratch, 'session', 'upper'), work: path.join(scratch, 'session', 'work') } }
      : {}),
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: home },
    home,
    homeFiles: [],
    readOnly: [...(node?.trees ?? []), kit],
    caPem: '',
    ports: [443, 80, 22, 853],
    proxyPort: 3128,
    gatewayPort: 4180,
    limits: place.limits,
    cacheDir: path.join(scratch, 'cache'),
    hostName: 'box',
    userName: 'agent',
  },
  { listening: serve },
);
const exit = await launched.exited;
const layerDir = mode === 'overlay' ? path.join(scratch, 'session', 'upper') : workspace;
fs.renameSync(path.join(layerDir, 'inside.jsonl'), stdoutFile);
const errors = fs.readFileSync(path.join(layerDir, 'inside.err'), 'utf8');
fs.rmSync(path.join(layerDir, 'inside.err'));

const read = (file: string): string => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
const outside: Outside = {
  read,
  exists: (file) => fs.existsSync(file),
  place,
  hostProcessLives: bystander.exitCode === null && bystander.signalCode === null && !/^State:\s*T/m.test(read(`/proc/${hostPid}/status`)),
  hostConnections,
  arrived,
  queriesElsewhere,
};
interface Line {
  readonly id: string;
  readonly through: boolean;
  readonly text: string;
}
const lines = new Map(
  read(stdoutFile)
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
    .map((line) => [line.id, line]),
);
const verdicts = attempts.map((attempt): Verdict => {
  const { limit } = attempt;
  if (limit !== undefined && !launched.limits.some((line) => line.startsWith(limit))) {
    return { id: attempt.id, contained: true, seen: `not in force here, and not claimed: ${launched.limits.join('; ')}` };
  }
  const line = lines.get(attempt.id);
  const isOut = !line || line.through || line.text.includes(canary) || attempt.escaped?.(outside) === true;
  return {
    id: attempt.id,
    contained: !isOut,
    seen: line ? `${line.through ? 'through ' : ''}${line.text.slice(0, 200)}` : `no report ${errors.slice(0, 400)}`,
  };
});
const allowed = /^(?:link-out|link-write|up|hard|hard-env|swap|dangling|fresh|nested-|node-c-|fill|big)/;
const stray =
  mode === 'overlay'
    ? listing(workspace).filter((name) => !before.includes(name))
    : listing(workspace).filter((name) => !before.includes(name) && !allowed.test(name));
const report: Report = { verdicts, stray, exitCode: exit.code };

bystander.kill('SIGKILL');
fs.rmSync(`/dev/shm/intramur-escape-${hostPid}`, { force: true });
if (shm !== undefined) spawnSync('ipcrm', ['-m', shm]);
fs.writeSync(1, JSON.stringify(report));
process.exit(0);

function listing(directory: string): string[] {
  return [...workspaceTree(directory)].sort();
}
