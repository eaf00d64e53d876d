// What this process may have at most (getrlimit(2)): nobody gives more to a program than he has himself, and asking for it would fail
// the launch where an administrator has set less than our defaults.
import fs from 'node:fs';

export type Resource = 'Max processes' | 'Max file size';

/** `Infinity` where there is no limit, or none is told. */
export function hardLimit(resource: Resource, limits = read()): number {
  const line = limits.split('\n').find((each) => each.startsWith(resource));
  const hard = line?.slice(resource.length).trim().split(/\s+/)[1];
  return hard === undefined || !/^\d+$/.test(hard) ? Number.POSITIVE_INFINITY : Number(hard);
}

function read(): string {
  try {
    return fs.readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
