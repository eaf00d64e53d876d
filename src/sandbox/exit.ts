// How a session ended: what the init or bubblewrap reported, and what that says of the exit code.
import type { ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { IntramurError } from '../core/index.ts';
import { initFds } from './init-program.ts';
import type { Exit } from './plan.ts';
import type { Program } from './syscall-script.ts';
import { setupFault } from './unavailable.ts';

/** Everything that the init or bubblewrap writes to the status descriptor. */
function statusOf(child: ChildProcess): Promise<Buffer> {
  const stream = child.stdio[initFds.status];
  if (!(stream instanceof Readable)) return Promise.resolve(Buffer.alloc(0));
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    stream.once('error', () => resolve(Buffer.concat(chunks)));
    stream.once('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** Rejects when it ended before the program could start. */
export async function exitOf(child: ChildProcess, program: Program): Promise<Exit> {
  const status = statusOf(child);
  const exit = await new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const report = await status;
  if (report.length === 8 && report[0] !== 0x7b) {
    throw setupFault(program.stages[report.readUInt32LE(4)] ?? 'starting', report.readInt32LE(0));
  }
  // bubblewrap writes the exit code of a program that it could start, and only then.
  if (exit.signal === null && !report.includes('"exit-code"')) {
    throw new IntramurError('SANDBOX_SETUP', `bubblewrap ended with code ${exit.code} before the program started`, {
      hint: 'intramur doctor',
    });
  }
  return exit;
}
