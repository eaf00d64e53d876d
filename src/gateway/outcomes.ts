// Outcomes on their way to the ledger. A decision has to be durable before anything leaves; what came of it may wait a moment for
// the next decision, so that both share one group of the ledger: a group costs far more than an entry.
import type { EntryBody } from '../core/index.ts';

const patienceMs = 25;

export interface Outcomes {
  add(of: number, outcome: Partial<EntryBody>): void;
  /** Hands over what waits. Called just before a decision is asked for. */
  flush(): void;
  /** Hands over what waits and returns when all of it is recorded. */
  settled(): Promise<void>;
}

export function createOutcomes(
  record: (of: number, outcome: Partial<EntryBody>) => Promise<void>,
  onFault: (fault: unknown) => void,
): Outcomes {
  let waiting: (readonly [of: number, outcome: Partial<EntryBody>])[] = [];
  let timer: NodeJS.Timeout | undefined;
  const underWay = new Set<Promise<void>>();

  /** Whatever `record` does, a throw becomes a rejection. */
  const attempt = async (of: number, outcome: Partial<EntryBody>): Promise<void> => record(of, outcome);

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const ready = waiting;
    waiting = [];
    for (const [of, outcome] of ready) {
      const recorded: Promise<void> = attempt(of, outcome)
        .catch(onFault)
        .finally(() => underWay.delete(recorded));
      underWay.add(recorded);
    }
  };
  return {
    add(of, outcome) {
      waiting.push([of, outcome]);
      timer ??= setTimeout(flush, patienceMs);
    },
    flush,
    async settled() {
      flush();
      await Promise.all(underWay);
    },
  };
}
