// What ends a sandbox whose launcher dies. The init asks the kernel to die with the launcher (PR_SET_PDEATHSIG) before it sends the
// first listener, so the launcher that took one over was alive after that; it stays so as it becomes bubblewrap's outer process. The
// first process inside asks to die with the outer one, and its death ends the rest. But it asks late, after it has forked the starter
// (bubblewrap.c, do_init), and a launcher that died before would leave it, and what it starts, alone.
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { IntramurError } from '../core/index.ts';
import { firstProcess, type Status } from './exit.ts';
import { askDoctor } from './unavailable.ts';

const limitSeconds = 10;

/**
 * Resolves when the first process inside dies with the outer one, or when the sandbox has ended.
 * INVARIANT: asked before the word to start, so that the program never outlives the launcher: one that dies before its word has not said
 * it, and after it the whole chain is tied.
 */
export async function untilTied(outer: ChildProcess, status: Status): Promise<void> {
  const until = process.uptime() + limitSeconds;
  while (!isTied(outer.pid, firstProcess(status))) {
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
function isTied(outer: number | undefined, first: number | undefined): boolean {
  if (outer === undefined || first === undefined || !(filters(first) > filters(outer))) return false;
  // It asked while the outer process lived: looked at afterwards, it is that one's child still.
  return field(first, 'PPid') === outer;
}

const filters = (pid: number): number => field(pid, 'Seccomp_filters');

/** NaN for a process that is gone. */
function field(pid: number, name: string): number {
  try {
    return Number(new RegExp(`^${name}:\\s*(?<value>\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.groups?.['value']);
  } catch {
    return Number.NaN;
  }
}
