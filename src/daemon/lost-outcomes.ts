// A daemon that was killed took the outcomes of what was under way with it. The next one says so, so that no decision is left without an
// end: what became of it is not known, and the ledger does not pretend otherwise.
import type { Entry, EntryBody } from '../core/index.ts';
import type { LedgerIndex } from '../ledger/index.ts';

/** Nothing like as many acts can be under way at once. */
const maxLookedAt = 20_000;

const ending: ReadonlySet<Entry['action']> = new Set<Entry['action']>(['llm.invoke', 'http.request', 'net.connect']);

/** Outcomes that are missing from the last run of the daemon; none after a run that was stopped in order. */
export function lostOutcomes(index: Pick<LedgerIndex, 'find' | 'tail'>): readonly EntryBody[] {
  if (index.tail(1)[0]?.action === 'daemon.stop') return [];
  const [started] = index.find({ action: 'daemon.start', limit: 1 });
  if (!started) return [];
  const entries = index.find({ since: new Date(started.time), limit: maxLookedAt });
  return withoutEnd(entries, 'the daemon ended before the outcome was known');
}

/**
 * Of a group that is in the log though its writing failed: whoever asked was refused.
 * @param from its first entry @param to the one behind its last
 */
export function neverDone(index: Pick<LedgerIndex, 'entry'>, from: number, to: number): readonly EntryBody[] {
  const entries = Array.from({ length: to - from }, (_, i) => index.entry(from + i)).filter((entry) => entry !== undefined);
  return withoutEnd(entries, 'it was refused after all: the ledger could not be written');
}

function withoutEnd(entries: readonly Entry[], reason: string): readonly EntryBody[] {
  const ended = new Set(entries.map(({ outcomeOf }) => outcomeOf));
  return entries
    .filter((entry) => entry.decision === 'allow' && entry.outcomeOf === undefined && ending.has(entry.action) && !ended.has(entry.index))
    .map(({ action, session, user, agent, purpose, class: kind, host, port, provider, perimeter, index: outcomeOf }) => ({
      action,
      ...defined({ session, user, agent, purpose, class: kind, host, port, provider, perimeter }),
      outcomeOf,
      reason,
    }));
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
