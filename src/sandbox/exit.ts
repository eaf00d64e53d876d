// How a session ended: what the init or bubblewrap reported, and what that says of the exit code.
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { IntramurError } from '../core/index.ts';
import { initFds } from './init-program.ts';
import type { Exit } from './plan.ts';
import type { Program } from './syscall-script.ts';
import { askDoctor, setupFault } from './unavailable.ts';

export interface Status {
  /** What the init or bubblewrap has written to the status descriptor so far. */
  readonly soFar: () => Buffer;
  readonly whole: Promise<Buffer>;
  /** Called after each part that arrives. */
  onPart: () => void;
}

export function statusOf(child: ChildProcess): Status {
  const chunks: Buffer[] = [];
  const soFar = (): Buffer => Buffer.concat(chunks);
  const stream = child.stdio[initFds.status];
  if (!(stream instanceof Readable)) return { soFar, whole: Promise.resolve(soFar()), onPart: () => {} };
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    status.onPart();
  });
  const whole = new Promise<Buffer>((resolve) => {
    stream.once('error', () => resolve(soFar()));
    stream.once('close', () => resolve(soFar()));
  });
  const status: Status = { soFar, whole, onPart: () => {} };
  return status;
}

/** The first process of the sandbox's process namespace, as bubblewrap reports it: bubblewrap's own, the program is its oldest child. */
export function firstProcess(status: Status): number | undefined {
  const pid = Number(/"child-pid":\s*(?<pid>\d+)/.exec(status.soFar().toString('latin1'))?.groups?.['pid']);
  return Number.isInteger(pid) ? pid : undefined;
}

/**
 * Ends everything inside. INVARIANT: the first process inside is killed, not bubblewrap's outer one: its death ends the namespace,
 * while a child that has not yet asked to die with its parent would outlive the outer one.
 */
export function killAll(child: ChildProcess, status: Status): void {
  const killFirst = (): void => {
    const first = firstProcess(status);
    if (first === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(first, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  };
  status.onPart = killFirst;
  killFirst();
  setTimeout(() => child.kill('SIGKILL'), outerGraceMs).unref();
}

/** How long bubblewrap's outer process may take to see that the inner one is gone. */
const outerGraceMs = 2000;

/** Sends a signal to the program itself. @returns false when it is not there (yet, or any more) */
export function signalProgram(status: Status, signal: NodeJS.Signals): boolean {
  const first = firstProcess(status);
  if (first === undefined) return false;
  try {
    const [program] = readFileSync(`/proc/${first}/task/${first}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    return program !== undefined && process.kill(program, signal);
  } catch {
    return false;
  }
}

/** Rejects when it ended before the program could start. */
export async function exitOf(child: ChildProcess, program: () => Program, status: Status): Promise<Exit> {
  const exit = await new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const report = await status.whole;
  if (report.length === reportBytes && report[0] !== brace) {
    throw setupFault(program().stages[report.readUInt32LE(4)] ?? 'starting', report.readInt32LE(0));
  }
  // bubblewrap writes the exit code of a program that it could start, and only then.
  if (exit.signal === null && !report.includes('"exit-code"')) {
    throw new IntramurError('SANDBOX_SETUP', `bubblewrap ended with code ${exit.code} before the program started`, {
      hint: askDoctor,
    });
  }
  const at = report.indexOf('\n') + 1;
  if (at === 0 || report[at] === brace || report.length < at + reportBytes) return exit;
  return { ...exit, notStarted: getSystemErrorName(report.readInt32LE(at)) };
}

/** A failure that a compiled program reports: errno and stage. bubblewrap writes lines of JSON, which begin with a brace. */
const [reportBytes, brace] = [8, 0x7b];
