// INVARIANT: a daemon that hangs is a daemon that is gone: whoever waits for it is told so in bounded time. While anybody waits, the
// daemon is asked now and then whether it is there; when it does not say so, those who waited are cut off.

/** How often a daemon that is waited for is asked whether it is still there, and how long it may take to say so. Longer than the longest look at one payload, during which it answers nobody. */
export interface Patience {
  readonly askEveryMs: number;
  readonly silenceMs: number;
}

/** It is there, and does not answer in time. */
export class Silence extends Error {
  constructor() {
    super('it does not answer');
  }
}

export interface Waiting {
  destroy(fault: Error): unknown;
}

export interface Watch {
  add(waiting: Waiting): void;
  remove(waiting: Waiting): void;
}

/** @param ask calls back when the daemon answers; returns what gives the question up */
export function createWatch({ askEveryMs, silenceMs }: Patience, ask: (answered: () => void) => () => void): Watch {
  const waiting = new Set<Waiting>();
  let asking: NodeJS.Timeout | undefined;

  function question(): void {
    const those = [...waiting];
    const giveUp = ask(() => clearTimeout(limit));
    const limit = setTimeout(() => {
      giveUp();
      for (const one of those) if (waiting.has(one)) one.destroy(new Silence());
    }, silenceMs).unref();
  }

  return {
    add(one) {
      waiting.add(one);
      asking ??= setInterval(question, askEveryMs).unref();
    },
    remove(one) {
      waiting.delete(one);
      if (waiting.size > 0) return;
      clearInterval(asking);
      asking = undefined;
    },
  };
}
