// Signals while a program runs inside. What the terminal sends reaches the program by itself, because it is in the same foreground
// group; the launcher only has to survive it. What is sent to the launcher alone is handed on, so that an agent can save its work;
// a program that does not end by it is killed.
import type { Launched } from '../../sandbox/index.ts';

/** How long a program may take to end after it was told to. */
const graceMs = 5000;

type Target = Pick<Launched, 'signal' | 'kill'>;

export interface SignalsFollowed {
  /** Who hears them, and at once what came before there was anybody. */
  handTo(launched: Target): void;
  /** The last one that was to end the program. */
  heard(): NodeJS.Signals | undefined;
  /** The one for which all was killed, because there was no program yet that could have ended by it. */
  killedFor(): NodeJS.Signals | undefined;
  /** Takes the handlers away again. */
  release(): void;
}

/** From now on a signal does not end the launcher: called before the program may start, because whoever sees its first word may send one. */
export function followSignals(): SignalsFollowed {
  let timer: NodeJS.Timeout | undefined;
  let target: Target | undefined;
  let heard: NodeJS.Signals | undefined;
  let killedFor: NodeJS.Signals | undefined;
  const ignore = () => {};
  const end = (signal: NodeJS.Signals) => {
    heard = signal;
    if (target === undefined) return;
    if (!target.signal(signal)) killedFor ??= signal;
    timer ??= setTimeout(target.kill, graceMs);
  };
  const fromTerminal = ['SIGINT', 'SIGQUIT'] as const;
  const ending = ['SIGTERM', 'SIGHUP'] as const;
  for (const signal of fromTerminal) process.on(signal, ignore);
  for (const signal of ending) process.on(signal, end);
  return {
    handTo(launched) {
      target = launched;
      if (heard !== undefined) end(heard);
    },
    heard: () => heard,
    killedFor: () => killedFor,
    release() {
      clearTimeout(timer);
      for (const signal of fromTerminal) process.off(signal, ignore);
      for (const signal of ending) process.off(signal, end);
    },
  };
}
