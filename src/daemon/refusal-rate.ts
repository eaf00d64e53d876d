// Holds back the ledger entries of refusals that come too fast: a program that is refused in a loop would otherwise write the disk full
// that the ledger needs. A burst is recorded entry by entry, and so is the first refusal over it; what follows is counted by where it
// was going and recorded as one entry for each place and minute. INVARIANT: only refusals are counted, and none is lost but by a crash
// of the daemon within the minute; an allow always has an entry of its own.
import type { EntryBody } from '../core/index.ts';

export interface RefusalRateLimits {
  /** Refusals of one session that are recorded one by one before any is counted. */
  readonly burst: number;
  /** How many more of them each second brings. */
  readonly perSecond: number;
  /** Counts are recorded this often. */
  readonly flushMs: number;
  /** Places counted apart in that time; all further ones are counted together. */
  readonly places: number;
}

export const refusalRateLimits: RefusalRateLimits = { burst: 1000, perSecond: 1, flushMs: 60_000, places: 32 };

type Append = (entry: EntryBody) => Promise<{ readonly index: number }>;

interface Counted {
  readonly entry: EntryBody;
  count: number;
}

interface Rate {
  left: number;
  refilledAtMs: number;
  /** The entry of the first refusal over the burst: it stands for all that are counted after it. */
  opening: Promise<{ readonly index: number }> | undefined;
  readonly counted: Map<string, Counted>;
  timer: NodeJS.Timeout | undefined;
}

export interface RefusalRate {
  /** Appends the entry, or counts it and gives the entry that it is counted from. */
  readonly append: Append;
  /** Records what is counted of this session, and forgets it. Never throws. */
  finish(session: string): Promise<void>;
  /** The same for every session. */
  finishAll(): Promise<void>;
}

export function createRefusalRate(
  append: Append,
  now: () => Date,
  onFault: (what: string, fault: unknown) => void,
  limits: RefusalRateLimits = refusalRateLimits,
): RefusalRate {
  const rates = new Map<string, Rate>();

  function rateOf(session: string): Rate {
    const nowMs = now().getTime();
    const rate = rates.get(session) ?? {
      left: limits.burst,
      refilledAtMs: nowMs,
      opening: undefined,
      counted: new Map(),
      timer: undefined,
    };
    rates.set(session, rate);
    const gained = (Math.max(0, nowMs - rate.refilledAtMs) / 1000) * limits.perSecond;
    rate.left = Math.min(limits.burst, rate.left + gained);
    rate.refilledAtMs = nowMs;
    return rate;
  }

  function count(rate: Rate, entry: EntryBody): void {
    let key = JSON.stringify([entry.action, entry.host, entry.port, entry.reason]);
    let place = bare(entry);
    if (!rate.counted.has(key) && rate.counted.size >= limits.places) {
      key = '';
      const { host: _host, port: _port, reason: _reason, ...rest } = place;
      place = { ...rest, reason: 'refused at further places' };
    }
    const counted = rate.counted.get(key) ?? { entry: place, count: 0 };
    rate.counted.set(key, counted);
    counted.count += 1;
  }

  async function flush(rate: Rate): Promise<void> {
    clearTimeout(rate.timer);
    rate.timer = undefined;
    const rows = [...rate.counted.values()];
    const from = rate.opening;
    rate.counted.clear();
    rate.opening = undefined;
    for (const { entry, count: refusals } of rows) {
      try {
        const since = (await from)?.index;
        await append({ ...entry, detail: { refusals, ...(since === undefined ? {} : { countedFrom: since }) } });
      } catch (fault) {
        onFault('counted refusals', fault);
      }
    }
  }

  async function appendRefusal(entry: EntryBody, session: string): Promise<{ readonly index: number }> {
    const rate = rateOf(session);
    if (rate.left >= 1) {
      rate.left -= 1;
      return await append(entry);
    }
    if (rate.opening) {
      count(rate, entry);
      return await rate.opening;
    }
    const opening = append({ ...entry, detail: { ...entry.detail, furtherRefusals: 'are counted' } });
    rate.opening = opening;
    rate.timer = setTimeout(() => void flush(rate), limits.flushMs).unref();
    // An entry that could not be appended stands for nothing.
    opening.catch(() => {
      if (rate.opening === opening) rate.opening = undefined;
    });
    return await opening;
  }

  return {
    append: (entry) => (entry.decision === 'deny' && entry.session !== undefined ? appendRefusal(entry, entry.session) : append(entry)),
    async finish(session) {
      const rate = rates.get(session);
      rates.delete(session);
      if (rate) await flush(rate);
    },
    async finishAll() {
      for (const session of [...rates.keys()]) await this.finish(session);
    },
  };
}

/** What the counted ones have in common: who, what and where, without what is different in each. */
function bare(entry: EntryBody): EntryBody {
  const { action, session, user, agent, purpose, class: egressClass, host, port, decision, reason, policies } = entry;
  const where = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
  const who = {
    ...(session === undefined ? {} : { session }),
    ...(user === undefined ? {} : { user }),
    ...(agent === undefined ? {} : { agent }),
    ...(purpose === undefined ? {} : { purpose }),
  };
  return {
    action,
    ...who,
    ...where,
    ...(egressClass === undefined ? {} : { class: egressClass }),
    ...(decision === undefined ? {} : { decision }),
    ...(reason === undefined ? {} : { reason }),
    ...(policies === undefined ? {} : { policies }),
  };
}
