// Runs one command with the real outside world, and turns whatever it throws into a message and an exit code. The one catch of the
// command line.
import fs from 'node:fs';
import os from 'node:os';
import { codeOf, faults, IntramurError, product } from '../core/index.ts';
import type { CliIo } from './io.ts';

type Load = () => Promise<{ run(args: readonly string[], io: CliIo): Promise<number> }>;

export async function perform(load: Load, args: readonly string[]): Promise<number> {
  try {
    const command = await load();
    return await command.run(args, outsideWorld());
  } catch (fault) {
    // Whoever read the output went away, and the command cannot go on.
    if (fault !== undefined && fault === brokenPipe) return 0;
    return await explain(fault, args);
  }
}

/** Streams are made when they are first used: Node takes milliseconds for each, and `run` uses but one. */
function outsideWorld(): CliIo {
  return {
    get stdout() {
      return standardOutput();
    },
    get stderr() {
      return standardError();
    },
    get stdin() {
      return process.stdin;
    },
    env: process.env,
    cwd: currentDirectory(),
    home: os.homedir(),
  };
}

let isWatched = false;
let brokenPipe: unknown;

function standardOutput(): NodeJS.WriteStream {
  if (!isWatched)
    process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
      if (fault.code === 'EPIPE') brokenPipe = fault;
    });
  isWatched = true;
  return process.stdout;
}

let isHeard = false;

/** Nobody is left to be told when it cannot be written; the exit code still says it. */
function standardError(): NodeJS.WriteStream {
  if (!isHeard) process.stderr.on('error', () => {});
  isHeard = true;
  return process.stderr;
}

/** @throws IntramurError USAGE when somebody has removed it, or it has a name that Node cannot say */
function currentDirectory(): string {
  let directory: string;
  try {
    directory = process.cwd();
  } catch (cause) {
    throw new IntramurError('USAGE', 'the current directory is gone', { hint: 'cd into one that is there', cause });
  }
  if (directory.includes('\ufffd') && !fs.existsSync(directory))
    throw new IntramurError('USAGE', 'the current directory has a name that is not valid UTF-8', { hint: 'cd into one that has' });
  return directory;
}

function currentDirectoryOr(other: string): string {
  try {
    return process.cwd();
  } catch {
    return other;
  }
}

async function explain(fault: unknown, args: readonly string[]): Promise<number> {
  const code = codeOf(fault);
  if (code === undefined || !(fault instanceof IntramurError)) {
    const { fileFault } = await import('./file-fault.ts');
    const ofFile = fileFault(fault, args, currentDirectoryOr('/'));
    if (ofFile) {
      standardError().write(`${product.name}: ${ofFile.says}\n`);
      return ofFile.exit;
    }
    standardError().write(`${product.name}: this is a bug: ${fault instanceof Error ? fault.stack : String(fault)}\n`);
    return faults.INTERNAL.exit;
  }
  standardError().write(`${product.name}: ${fault.message}\n`);
  if (fault.hint) standardError().write(`${' '.repeat(product.name.length + 2)}${fault.hint}\n`);
  return faults[code].exit;
}
