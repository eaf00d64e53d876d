// What the attempts are judged by: a home full of canaries, a workspace in it, and a host that listens. Laid out and read outside, for
// this product's sandbox and for the ones it is compared with.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Outside, Place } from './attempt.ts';
import { secretVariables } from './attempts/credentials.ts';
import { secretFiles } from './attempts/files.ts';
import { attempts } from './attempts/index.ts';
import { existing } from './attempts/persistence.ts';

export interface Verdict {
  readonly id: string;
  /** Nothing when it cannot be asked of this sandbox. */
  readonly contained: boolean | undefined;
  /** What the inside got, cut short; for the message of a failing test. */
  readonly seen: string;
}

/** What a launcher of ours has seen of it. A sandbox that is only compared has none. */
export interface Seen {
  readonly arrived: readonly string[];
  readonly queriesElsewhere: number;
}

export interface Canaries {
  readonly place: Place;
  /** @param said what `inside.ts` printed; @param unclaimed true for a limit that is not in force and was not said to be */
  judge(said: string, errors: string, seen: Seen, unclaimed?: (limit: string) => boolean): Verdict[];
  remove(): void;
}

export const newCanary = (): string => `CANARY-${randomBytes(8).toString('hex')}`;

/**
 * The command line that runs a program with a descriptor of a directory of the home open, as a careless caller would: the directory's
 * name is a canary. It has a high number, because Node closes the first ones.
 */
export function withLeak(scratch: string, canary: string, argv: readonly string[]): [string, ...string[]] {
  const script = 'mkdir -p -- "$1" && exec 200<"$1" && shift && exec "$@"';
  return ['/bin/bash', '-c', script, 'bash', path.join(scratch, 'home', canary), ...argv];
}

export async function layCanaries(scratch: string, canary: string, mode: Place['mode'], isPeer: boolean): Promise<Canaries> {
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
  write(path.join(beside, 'other-project', 'README'), canary);
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
  const bystander = spawn('/bin/sleep', ['300'], { env: { SECRET: canary }, stdio: 'ignore' });
  const hostPid = bystander.pid ?? 0;
  const inMemory = `/dev/shm/intramur-escape-${hostPid}`;
  fs.writeFileSync(inMemory, canary);
  const segment = sharedSegment();

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
    shmKey: segment.key,
    limits: { pids: 96, fileBytes: 4 << 20, tmpfsBytes: 16 << 20 },
    mode,
    isPeer,
  };

  return {
    place,
    judge(said, errors, seen, unclaimed = () => false) {
      const outside: Outside = {
        read,
        exists: (file) => fs.existsSync(file),
        place,
        hostProcessLives:
          bystander.exitCode === null && bystander.signalCode === null && !/^State:\s*T/m.test(read(`/proc/${hostPid}/status`)),
        hostConnections,
        ...seen,
      };
      const lines = linesOf(said);
      return attempts.map((attempt): Verdict => {
        const { id, limit } = attempt;
        if (isPeer && attempt.oursAlone !== undefined) return { id, contained: undefined, seen: attempt.oursAlone };
        if (limit !== undefined && unclaimed(limit)) return { id, contained: true, seen: 'not in force here, and not claimed' };
        const line = lines.get(id);
        const isOut = !line || line.through || line.text.includes(canary) || attempt.escaped?.(outside, line.text) === true;
        const seenInside = line ? `${line.through ? 'through ' : ''}${line.text.slice(0, 200)}` : `no report ${errors.slice(0, 400)}`;
        return { id, contained: !isOut, seen: seenInside };
      });
    },
    remove() {
      bystander.kill('SIGKILL');
      fs.rmSync(inMemory, { force: true });
      if (segment.id !== '') spawnSync('ipcrm', ['-m', segment.id]);
      for (const server of [tcp, ...sockets]) server.close();
    },
  };
}

interface Line {
  readonly id: string;
  readonly through: boolean;
  readonly text: string;
}

function linesOf(said: string): Map<string, Line> {
  const lines = said.trim().split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line) as Line).map((line) => [line.id, line]));
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function sharedSegment(): { id: string; key: number } {
  const id = /(\d+)\s*$/.exec(spawnSync('ipcmk', ['-M', '64'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? '';
  const rows = read('/proc/sysvipc/shm')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return { id, key: id === '' ? 0 : Number(rows.find((row) => row[1] === id)?.[0] ?? 0) };
}
