// A program that fills the disk with bytes or with files takes it from everybody on the machine. Quotas need root, so the launcher looks at
// what is left where the session writes, and ends the session before there is nothing.
import { type StatsFs, statfs, statfsSync } from 'node:fs';

export interface Space {
  readonly bytes: number;
  readonly files: number;
}

/** What a session leaves to others, at least; half of what there was, where that is less. */
const floor: Space = { bytes: 512 * 2 ** 20, files: 20_000 };
const everyMs = 500;

export type Look = (directory: string, seen: (space: Space | undefined) => void) => void;

const look: Look = (directory, seen) => statfs(directory, (fault, found) => seen(fault ? undefined : spaceOf(found)));

/** The first look, without the threads that Node would start for it: a short program ends before there is a second. */
const lookNow: Look = (directory, seen) => {
  try {
    seen(spaceOf(statfsSync(directory)));
  } catch {
    seen(undefined);
  }
};

/** File systems without a fixed number of files say 0 of 0. */
function spaceOf({ bavail, bsize, files, ffree }: StatsFs): Space {
  return { bytes: bavail * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree };
}

/** @param onLow called once, with the reason. @returns ends the watch */
export function watchDisk(directories: readonly string[], onLow: (reason: string) => void, looking?: Look): () => void {
  const atStart = new Map<string, Space>();
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    clearInterval(timer);
  };
  const check = (by: Look, directory: string): void =>
    by(directory, (space) => {
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
  const all = (by: Look): void => new Set(directories).forEach((directory) => check(by, directory));
  const timer = setInterval(() => all(looking ?? look), everyMs).unref();
  all(looking ?? lookNow);
  return stop;
}
