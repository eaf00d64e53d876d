// The exec audit at the daemon: each program that is about to start is an act like any other: inspected (its arguments are), decided,
// recorded. A program that starts others in a loop fills neither the ledger's disk nor its queue: after a burst that no build reaches
// the starts of a session wait their turn, and at a number that no work needs the session ends.
import { setTimeout as delay } from 'node:timers/promises';
import type { Mediation } from './mediation.ts';
import type { StartsRequest } from './protocol.ts';
import type { Session } from './session.ts';

export interface StartLimits {
  /** Starts that need not wait. */
  readonly burst: number;
  readonly perSecond: number;
  /** The session ends at this number. An entry has some 500 bytes, at most 20 KiB. */
  readonly total: number;
}

export const startLimits: StartLimits = { burst: 20_000, perSecond: 200, total: 500_000 };

/** What one session has started so far. */
export class StartBudget {
  readonly #limits: StartLimits;
  readonly #now: () => number;
  #count = 0;
  #began: number | undefined;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(limits: StartLimits = startLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** @returns milliseconds that these starts have to wait, or `undefined` when the session has used up its number */
  take(starts: number): number | undefined {
    const { burst, perSecond, total } = this.#limits;
    this.#began ??= this.#now();
    this.#count += starts;
    if (this.#count > total) return undefined;
    const earnedMs = this.#now() - this.#began;
    return Math.max(0, ((this.#count - burst) / perSecond) * 1000 - earnedMs);
  }
}

export interface StartDeps {
  readonly mediation: Mediation;
  halt(session: Session, reason: string): void;
}

/** @returns whether each may go on, in the order of the starts */
export async function decideStarts(
  starts: StartsRequest['starts'],
  session: Session,
  { mediation, halt }: StartDeps,
): Promise<readonly boolean[]> {
  const waitMs = session.starts.take(starts.length);
  if (waitMs === undefined) {
    halt(session, 'it started more programs than any work needs');
    return starts.map(() => false);
  }
  if (waitMs > 0) await delay(waitMs);
  return await Promise.all(
    starts.map(async (start) => {
      const { path, realPath, argv, cwd } = start ?? unreadable;
      const request = { principal: session.principal, act: { action: 'process.exec', path, realPath, argv, cwd } as const };
      if (start === null) {
        await mediation.recordRefusal(request, 'the program that was about to start could not be read', 'fail-closed');
        return false;
      }
      const body = { bytes: Buffer.from(argv.join('\n')), contentType: 'text/plain', views: [] };
      return (await mediation.mediate(request, body)).decision.effect === 'allow';
    }),
  );
}

const unreadable = { path: '', realPath: '', argv: [], cwd: '' } as const;
