// When a process began: with its number it names one process, and never a later one that got the same number.
import { readFileSync } from 'node:fs';

/** In clock ticks since boot (field 22 of /proc/PID/stat; the name before it may hold anything). Nothing when there is no such process. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
