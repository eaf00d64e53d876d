// How much of a text is in another one: a file that was renamed and then written to has no equal, but most of its lines are still there.
import { readFileSync } from 'node:fs';

const maxBytes = 1 << 20;

/** Sizes with which two files can be alike; those of more than a megabyte are like none. */
export function canBeAlike(one: number, two: number): boolean {
  const longer = Math.max(one, two);
  return longer > 0 && longer <= maxBytes && Math.min(one, two) * 2 >= longer;
}

/** At least half of the longer one, by lines, is in both. */
export function areAlike(a: string, b: string): boolean {
  try {
    const [one, two] = [readFileSync(a, 'latin1'), readFileSync(b, 'latin1')];
    return commonBytes(one, two) * 2 >= Math.max(one.length, two.length);
  } catch {
    return false; // it cannot be read
  }
}

function commonBytes(a: string, b: string): number {
  const left = new Map<string, number>();
  for (const line of linesOf(a)) left.set(line, (left.get(line) ?? 0) + 1);
  let common = 0;
  for (const line of linesOf(b)) {
    const count = left.get(line) ?? 0;
    if (count === 0) continue;
    left.set(line, count - 1);
    common += line.length;
  }
  return common;
}

/** With their ends, so that their lengths add up. */
const linesOf = (text: string): string[] => text.split(/(?<=\n)/);
