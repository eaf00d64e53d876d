// What the kernel says of a process of this machine, by its number: fields of proc_pid_status(5), and which processes it started.
import { readdirSync, readFileSync } from 'node:fs';

/** Nothing for a process that is gone. */
export function statusField(pid: number, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(?<value>.*)$`, 'm').exec(textOf(`/proc/${pid}/status`) ?? '')?.groups?.['value'];
}

/** The oldest first. */
export function childrenOf(pid: number): number[] {
  const listed = textOf(`/proc/${pid}/task/${pid}/children`);
  if (listed !== undefined) return listed.split(' ').filter(Boolean).map(Number);
  // A kernel without CONFIG_PROC_CHILDREN lists nobody's.
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => statusField(one, 'PPid') === String(pid));
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
