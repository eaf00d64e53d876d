// What a virtual key has used in the running period of its budget. Requests are counted when they are let through, so that many at
// once cannot overdraw; tokens and money are known only after the answer, so the call that crosses the line is the last one.
import type { KeyConfig } from '../config/index.ts';
import type { Allowance, Spent } from './call-input.ts';
import type { Usage, Used } from './key-file.ts';
import { costOf } from './prices.ts';
import { openUsage, readAllUsage } from './usage-journal.ts';

export interface Budgets {
  allowanceOf(key: KeyConfig): Allowance;
  close(): void;
}

export function createBudgets(keyFile: string, now: () => Date, onFault: (fault: unknown) => void): Budgets {
  const journal = openUsage(keyFile, onFault);
  const current = (key: KeyConfig): Usage => currentIn(journal.used, key, now());
  // Before the call goes on: a daemon that is killed then gives nothing back.
  const add = (key: KeyConfig, more: Used): void => {
    const { since, requests, tokens, usd } = current(key);
    const usage = { since, requests: requests + more.requests, tokens: tokens + more.tokens, usd: usd + more.usd };
    journal.put(key.id, usage, key.budget !== undefined);
  };

  return {
    allowanceOf: (key) => ({
      take() {
        const exhausted = exhaustedIn(key, current(key));
        if (exhausted === undefined) add(key, { requests: 1, tokens: 0, usd: 0 });
        return exhausted;
      },
      spend(spent) {
        const tokens = tokensOf(spent);
        add(key, { requests: 0, tokens: tokens.input + tokens.output, usd: costOf(spent.target, tokens) });
      },
    }),
    close: () => journal.close(),
  };
}

/** What each key has used in its running period, from disk: for the command line, which is not the gateway. */
export function usedBy(keyFile: string, now: Date): (key: KeyConfig) => Used {
  const used = readAllUsage(keyFile);
  return (key) => {
    const { requests, tokens, usd } = currentIn(used, key, now);
    return { requests, tokens, usd };
  };
}

function currentIn(used: ReadonlyMap<string, Usage>, key: KeyConfig, now: Date): Usage {
  const since = sinceOf(key.budget?.per ?? 'month', now);
  const known = used.get(key.id);
  return known?.since === since ? known : { since, requests: 0, tokens: 0, usd: 0 };
}

type Period = NonNullable<KeyConfig['budget']>['per'];

const running = new Map<Period, { readonly hour: number; readonly since: string }>();

/** The period's beginning as text; worked out once an hour, because every period begins with one. */
function sinceOf(per: Period, now: Date): string {
  const hour = Math.floor(now.getTime() / 3_600_000);
  const known = running.get(per);
  if (known?.hour === hour) return known.since;
  const since = periodStart(per, now).toISOString();
  running.set(per, { hour, since });
  return since;
}

function exhaustedIn({ id, budget }: KeyConfig, used: Used): string | undefined {
  if (!budget) return undefined;
  const over = (['requests', 'tokens', 'usd'] as const).find((unit) => used[unit] >= (budget[unit] ?? Number.POSITIVE_INFINITY));
  if (over === undefined) return undefined;
  return `the budget of key ${id} is used up: ${budget[over]} ${over === 'usd' ? 'USD' : over} per ${budget.per}`;
}

export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

/** An upstream that states no usage is not free: a token has about three bytes, and nearly all of an answer is framing. */
function tokensOf({ usage, bytesOut, bytesIn }: Spent): Tokens {
  if (usage) return { input: usage.inputTokens, output: usage.outputTokens, cached: usage.cachedTokens };
  return { input: Math.ceil(bytesOut / 3), output: Math.ceil(bytesIn / 3), cached: 0 };
}

/** The beginning of the hour, day, week (Monday) or month in UTC. */
function periodStart(per: Period, at: Date): Date {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  const starts = {
    hour: () => Date.UTC(year, month, day, at.getUTCHours()),
    day: () => Date.UTC(year, month, day),
    week: () => Date.UTC(year, month, day - ((at.getUTCDay() + 6) % 7)),
    month: () => Date.UTC(year, month),
  };
  return new Date(starts[per]());
}
