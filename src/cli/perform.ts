// Runs one command with the real outside world, and turns whatever it throws into a message and an exit code. The one catch of the
// command line.
import os from 'node:os';
import { codeOf, faults, IntramurError, product } from '../core/index.ts';
import type { CliIo } from './io.ts';

type Load = () => Promise<{ run(args: readonly string[], io: CliIo): Promise<number> }>;

export async function perform(load: Load, args: readonly string[]): Promise<number> {
  try {
    const command = await load();
    return await command.run(args, outsideWorld());
  } catch (fault) {
    return await explain(fault, args);
  }
}

/** Streams are made when they are first used: Node takes milliseconds for each, and `run` uses but one. */
function outsideWorld(): CliIo {
  let isWatched = false;
  return {
    get stdout() {
      // A reader that went away (`| head`) ends the output, not in a stack trace.
      if (!isWatched) {
        process.stdout.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'EPIPE') process.exit(0);
        });
      }
      isWatched = true;
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    get stdin() {
      return process.stdin;
    },
    env: process.env,
    cwd: currentDirectory(),
    home: os.homedir(),
  };
}

/** @throws IntramurError USAGE when somebody has removed it */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new IntramurError('USAGE', 'the current directory is gone', { hint: 'cd into one that is there', cause });
  }
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
      process.stderr.write(`${product.name}: ${ofFile.says}\n`);
      return ofFile.exit;
    }
    process.stderr.write(`${product.name}: this is a bug: ${fault instanceof Error ? fault.stack : String(fault)}\n`);
    return faults.INTERNAL.exit;
  }
  process.stderr.write(`${product.name}: ${fault.message}\n`);
  if (fault.hint) process.stderr.write(`${' '.repeat(product.name.length + 2)}${fault.hint}\n`);
  return faults[code].exit;
}
