// The configuration of a running daemon, as its files now stand. Sessions have always read theirs anew; without this a provider that was
// added or taken away would be there for a session and not for the gateway that serves it.
import fs from 'node:fs';
import type { Config } from '../config/index.ts';

export interface ReloadDeps {
  /** Every file that counts when it is there. */
  readonly files: readonly string[];
  load(): Promise<Config>;
  /** Brings a configuration into force, whole or not at all. */
  apply(config: Config): Promise<void>;
  /** Told why what the files say is not in force. */
  onRefused(fault: unknown): void;
}

export interface Reload {
  /** Resolves when what the files said at the time of the call is in force, or was refused: then what was in force before stays. */
  now(): Promise<void>;
  /** Looks at them twice a second, until it is stopped: what is tightened holds also for the first call after it. */
  watch(): () => void;
}

const watchEveryMs = 500;

export function createReload({ files, load, apply, onRefused }: ReloadDeps): Reload {
  let seen = stampOf(files);
  let under: Promise<void> = Promise.resolve();

  const reload = async (): Promise<void> => {
    const stamp = stampOf(files);
    if (stamp === seen) return;
    seen = stamp;
    try {
      await apply(await load());
    } catch (fault) {
      onRefused(fault);
    }
  };
  const now = (): Promise<void> => {
    under = under.then(reload);
    return under;
  };
  return {
    now,
    watch() {
      const timer = setInterval(() => void now(), watchEveryMs).unref();
      return () => clearInterval(timer);
    },
  };
}

function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : '-';
    })
    .join();
}
