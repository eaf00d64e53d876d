// Signals while a program runs inside. What the terminal sends reaches the program by itself, because it is in the same foreground
// group; the launcher only has to survive it. What is sent to the launcher alone is handed on, so that an agent can save its work;
// a program that does not end by it is killed.
import type { Launched } from '../../sandbox/index.ts';

/** How long a program may take to end after it was told to. */
const graceMs = 5000;

/** @returns takes the handlers away again */
export function followSignals(launched: Pick<Launched, 'signal' | 'kill'>): () => void {
  let timer: NodeJS.Timeout | undefined;
  const ignore = () => {};
  const end = (signal: NodeJS.Signals) => {
    launched.signal(signal);
    timer ??= setTimeout(launched.kill, graceMs);
  };
  const fromTerminal = ['SIGINT', 'SIGQUIT'] as const;
  const ending = ['SIGTERM', 'SIGHUP'] as const;
  for (const signal of fromTerminal) process.on(signal, ignore);
  for (const signal of ending) process.on(signal, end);
  return () => {
    clearTimeout(timer);
    for (const signal of fromTerminal) process.off(signal, ignore);
    for (const signal of ending) process.off(signal, end);
  };
}
