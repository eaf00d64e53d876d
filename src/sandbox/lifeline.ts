// What ends a sandbox whose launcher dies. Until the word to start, all that waits for the launcher sees the end of the channel. From
// then on the kernel does it: bubblewrap's outer process asks to die with the launcher (PR_SET_PDEATHSIG) and lets the first process
// inside go on after that; the first process asks to die with the outer one, and its death ends the rest. But it asks late, after it has
// forked the starter (bubblewrap.c, do_init), and a launcher that died before would leave it, and what it starts, alone.
// INVARIANT: nothing ends the outer process before it asks by itself: its first process would wait for ever for leave to go on.
import type { ChildProcess } from 'node:child_process';
import { IntramurError } from '../core/index.ts';
import { firstProcess } from './exit.ts';
import { statusField } from './process-status.ts';
import { askDoctor } from './unavailable.ts';

const limitSeconds = 10;

/**
 * Resolves when the first process inside dies with the outer one, or when the sandbox has ended.
 * INVARIANT: asked before the word to start, so that the program never outlives the launcher: one that dies before its word has not said
 * it, and after it the whole chain is tied.
 */
export async function untilTied(outer: ChildProcess): Promise<void> {
  const until = process.uptime() + limitSeconds;
  while (outer.pid !== undefined && !isTied(outer.pid)) {
    if (outer.exitCode !== null || outer.signalCode !== null) return;
    if (process.uptime() > until) {
      throw new IntramurError('SANDBOX_SETUP', 'the first process inside does not die with its launcher', { hint: askDoctor });
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * The kernel does not show what a process has asked for. But bubblewrap's first process takes the seccomp program in the very next step,
 * and that is seen: it has one filter more than the outer process, which takes none.
 */
function isTied(outer: number): boolean {
  const first = firstProcess(outer);
  if (first === undefined || !(filters(first) > filters(outer))) return false;
  // It asked while the outer process lived: looked at afterwards, it is that one's child still.
  return statusField(first, 'PPid') === String(outer);
}

/** NaN for a process that is gone. */
const filters = (pid: number): number => Number(statusField(pid, 'Seccomp_filters'));
