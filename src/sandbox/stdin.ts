// Standard input of a contained program. A terminal or pipe is inherited. A file of the host is copied through a pipe: through
// /proc/self/fd a program could open the very same file for writing, outside of everything it may write.
import { createReadStream, fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { IntramurError } from '../core/index.ts';

export interface ConfinedStdin {
  readonly stdio: 'inherit' | 'pipe';
  feed(into: Writable): void;
}

export function confinedStdin(fd = 0): ConfinedStdin {
  const stat = statOf(fd);
  if (stat?.isDirectory())
    throw new IntramurError('SANDBOX_SETUP', 'standard input is a directory, through which files outside could be reached');
  if (!stat?.isFile()) return { stdio: 'inherit', feed: () => {} };
  return {
    stdio: 'pipe',
    feed(into) {
      into.on('error', () => {}); // the program may stop reading
      createReadStream('', { fd, autoClose: false }).pipe(into);
    },
  };
}

function statOf(fd: number): ReturnType<typeof fstatSync> | undefined {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}
