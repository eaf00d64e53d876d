// A program that fills the disk with bytes or with files takes it from everybody on the machine. Quotas need root, so the launcher looks at
// what is left where the session writes, and ends the session before there is nothing.
import { statfs } from 'node:fs';

export interface Space {
  readonly bytes: number;
  readonly files: number;
}

/** What a session leaves to others, at least; half of what there was, where that is less. */
const floor: Space = { bytes: 512 * 2 ** 20, files: 20_000 };
const everyMs = 500;

export type Look = (directory: string, seen: (space: Space | undefined) => void) => void;

const look: Look = (directory, seen) =>
  statfs(directory, (fault, found) => {
    // File systems without a fixed number of files say 0 of 0.
    seen(fault ? undefined : { bytes: found.bavail * found.bsize, files: found.files === 0 ? Number.POSITIVE_INFINITY : found.ffree });
  });

/** @param onLow called once, with the reason. @returns ends the watch */
export function watchDisk(directories: readonly string[], onLow: (reason: string) => void, looking: Look = look): () => void {
  const atStart = new Map<string, Space>();
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    clearInterval(timer);
  };
  const check = (directory: string): void =>
    looking(directory, (space) => {
      if (space === undefined || isOver) return;
      const before = atStart.get(directory) ?? space;
      atStart.set(directory, before);
      const what =
        space.bytes < Math.min(floor.bytes, before.bytes / 2)
          ? 'space'
          : space.files < Math.min(floor.files, before.files / 2)
            ? 'files'
            : undefined;
      if (what === undefined) return;
      stop();
      onLow(`the disk that it writes to has no ${what === 'space' ? 'space' : 'room for files'} left to spare`);
    });
  const all = (): void => new Set(directories).forEach(check);
  const timer = setInterval(all, everyMs).unref();
  all();
  return stop;
}
