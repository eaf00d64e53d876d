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
  let underWay = 0;
  let whenDone: (() => void)[] = [];

  const done = (): void => {
    underWay -= 1;
    if (underWay > 0) return;
    for (const tell of whenDone) tell();
    whenDone = [];
  };
  const hand = (of: number, outcome: Partial<EntryBody>): void => {
    underWay += 1;
    const failed = (fault: unknown): void => {
      onFault(fault);
      done();
    };
    try {
      record(of, outcome).then(done, failed);
    } catch (fault) {
      failed(fault);
    }
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const ready = waiting;
    waiting = [];
    for (const [of, outcome] of ready) hand(of, outcome);
  };
  return {
    add(of, outcome) {
      waiting.push([of, outcome]);
      timer ??= setTimeout(flush, patienceMs);
    },
    flush,
    async settled() {
      flush();
      if (underWay > 0) await new Promise<void>((resolve) => void whenDone.push(resolve));
    },
  };
}
