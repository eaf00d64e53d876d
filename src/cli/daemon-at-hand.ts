// Finds the running daemon, or has one started.
import { codeOf, type Places } from '../core/index.ts';
import { createClient, type DaemonClient, isOutOfReach, isSilent } from '../daemon/index.ts';

/**
 * Asks the daemon, and starts one first where none answers; `startMs` says how long that took.
 * @throws IntramurError with the code that matches why the daemon did not start
 */
export async function withDaemon<T>(
  places: Places,
  env: Readonly<Record<string, string | undefined>>,
  ask: (client: DaemonClient) => Promise<T>,
): Promise<{ client: DaemonClient; answer: T; startMs: number }> {
  const client = createClient(places.socket);
  try {
    return { client, answer: await ask(client), startMs: 0 };
  } catch (fault) {
    if (codeOf(fault) !== 'DAEMON_UNREACHABLE' || isSilent(fault) || isOutOfReach(fault)) throw fault;
  }
  const began = performance.now();
  const { startInBackground } = await import('./start-in-background.ts');
  await startInBackground(places, env, []);
  const startMs = performance.now() - began;
  return { client, answer: await ask(client), startMs };
}

/** @throws IntramurError DAEMON_UNREACHABLE when there is one that does not answer, which holds the ledger, or when that cannot be known */
export async function isRunning(client: DaemonClient): Promise<boolean> {
  try {
    await client.status();
    return true;
  } catch (fault) {
    if (codeOf(fault) === 'DAEMON_UNREACHABLE' && !isSilent(fault) && !isOutOfReach(fault)) return false;
    throw fault;
  }
}
