// Node reads arguments as UTF-8 and puts a replacement character for every byte that is none: the program would get another argument than it
// was given. Asked only where such a character stands, which may also be meant.
import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import { IntramurError } from '../../../core/index.ts';

/** @throws IntramurError USAGE when an argument of this process is not UTF-8 */
export function refuseChanged(): void {
  if (!isUtf8(given())) throw new IntramurError('USAGE', 'an argument is not valid UTF-8, and would reach the program changed');
}

/** As the kernel has them; empty where it does not say. */
function given(): Buffer {
  try {
    return fs.readFileSync('/proc/self/cmdline');
  } catch {
    return Buffer.alloc(0);
  }
}
