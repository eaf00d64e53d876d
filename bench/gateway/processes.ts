// Programs under measurement, seen from outside: started in a directory of their own with an empty environment, measured by what the
// kernel counts for them and their children (proc(5): `schedstat`, `status`).
import { type ChildProcess, fork, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

export interface Running {
  readonly pid: number;
  readonly port: number;
  stop(): void;
}

/** A script of ours that sends its port. */
export async function startScript(file: string, args: readonly string[] = []): Promise<Running> {
  const child = fork(file, args, { execArgv: [] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (value) => resolve(Number(value)));
    child.once('exit', (code) => reject(new Error(`${path.basename(file)} ended with ${code}`)));
  });
  return { pid: child.pid ?? 0, port, stop: () => child.disconnect() };
}

/** Any program that listens on the port it is told. Throws with its last words when it does not within 20 s. */
export async function startProgram(
  command: string,
  args: readonly string[],
  { port, home, env = {} }: { readonly port: number; readonly home: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Running> {
  const child = spawn(command, args, {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => void (words = (words + text.toString()).slice(-2000)));
  let ended: string | undefined;
  child.once('exit', (code, signal) => void (ended = `it ended with ${code ?? signal}`));
  child.once('error', (fault) => void (ended = fault.message));
  for (let i = 0; i < 200; i++) {
    if (ended !== undefined) break;
    if (await isListening(port)) return { pid: child.pid ?? 0, port, stop: () => endOf(child) };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  endOf(child);
  throw new Error(`${ended ?? 'it did not listen within 20 s'}: ${words.trim().split('\n').slice(-3).join(' | ')}`);
}

function endOf(child: ChildProcess): void {
  if (child.exitCode === null) child.kill('SIGTERM');
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Microseconds of CPU, user and kernel, of a process with its threads and children. */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0;
  for (const one of [pid, ...descendants(pid)]) {
    for (const task of listed(`/proc/${one}/task`)) nanoseconds += Number(read(`/proc/${one}/task/${task}/schedstat`).split(' ')[0]);
  }
  return nanoseconds / 1000;
}

/** Resident bytes of a process and its children. */
export function residentBytes(pid: number): number {
  const kilobytes = [pid, ...descendants(pid)].map((one) => Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${one}/status`))?.[1] ?? 0));
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}

function descendants(pid: number): number[] {
  const children = listed(`/proc/${pid}/task`).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function listed(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
