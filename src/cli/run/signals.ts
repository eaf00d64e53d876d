// Signals while a program runs inside. What the terminal sends reaches the program by itself, because it is in the same foreground
// group; the launcher only has to survive it. What is sent to the launcher alone ends the session.

/** @returns takes the handlers away again */
export function followSignals(kill: () => void): () => void {
  const ignore = () => {};
  const fromTerminal = ['SIGINT', 'SIGQUIT'] as const;
  const ending = ['SIGTERM', 'SIGHUP'] as const;
  for (const signal of fromTerminal) process.on(signal, ignore);
  for (const signal of ending) process.on(signal, kill);
  return () => {
    for (const signal of fromTerminal) process.off(signal, ignore);
    for (const signal of ending) process.off(signal, kill);
  };
}
