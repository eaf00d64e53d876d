// How a session ended: what the init or the starter reported, and what that says of the exit code.
import type { ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { IntramurError } from '../core/index.ts';
import { initFds } from './init-program.ts';
import type { Exit } from './plan.ts';
import { childrenOf, statusField } from './process-status.ts';
import type { Program } from './syscall-script.ts';
import { askDoctor, setupFault } from './unavailable.ts';

/** @returns what a compiled program reported in all: errno and stage, or nothing */
export function reportOf(child: ChildProcess): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const stream = child.stdio[initFds.report];
  if (!(stream instanceof Readable)) return Promise.resolve(Buffer.alloc(0));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const end = (): void => resolve(Buffer.concat(chunks));
    stream.once('error', end);
    stream.once('close', end);
  });
}

/** The first process of the sandbox's process namespace: bubblewrap's own, the program is its oldest child. */
export function firstProcess(outer: number): number | undefined {
  return childrenOf(outer).find((pid) => /\t1$/.test(statusField(pid, 'NSpid') ?? ''));
}

/**
 * Ends everything inside. INVARIANT: the first process inside is killed, not bubblewrap's outer one: its death ends the namespace,
 * while a child that has not yet asked to die with its parent would outlive the outer one.
 */
export function killAll(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killOne(firstProcess(child.pid), 'SIGKILL');
  setTimeout(() => child.kill('SIGKILL'), outerGraceMs).unref();
}

/** How long bubblewrap's outer process may take to see that the inner one is gone. */
const outerGraceMs = 2000;

/** Sends a signal to the program itself. @returns false when it is not there any more */
export function signalProgram({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  const first = pid === undefined ? undefined : firstProcess(pid);
  return first !== undefined && killOne(childrenOf(first)[0], signal);
}

function killOne(pid: number | undefined, signal: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(pid, signal);
  } catch {
    return false; // it ended by itself
  }
}

const reportBytes = 8;

/**
 * Rejects when it ended before the program could start.
 * @param isReady whether the starter was there
 */
export async function exitOf(child: ChildProcess, program: () => Program, report: Promise<Buffer>, isReady: () => boolean): Promise<Exit> {
  const exit = await new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const reported = await report;
  if (isReady()) return reported.length < reportBytes ? exit : { ...exit, notStarted: getSystemErrorName(reported.readInt32LE(0)) };
  if (reported.length === reportBytes) {
    throw setupFault(program().stages[reported.readUInt32LE(4)] ?? 'starting', reported.readInt32LE(0));
  }
  if (exit.signal === null) {
    throw new IntramurError('SANDBOX_SETUP', `bubblewrap ended with code ${exit.code} before the program started`, {
      hint: askDoctor,
    });
  }
  return exit;
}
