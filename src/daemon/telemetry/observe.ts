// Looks over the monitor's shoulder and tells a collector what became of each model call. Stands in the way of nothing: what is told is
// told after the monitor's own work is done.
import type { EntryBody, Request } from '../../core/index.ts';
import type { Recorded } from '../../monitor/index.ts';
import type { Mediation } from '../mediation.ts';
import type { ObservedCall } from './call.ts';
import type { Collector } from './collector.ts';

interface Begun {
  readonly startedAt: number;
  readonly request: Request;
  readonly recorded: Recorded;
}

/** More calls than can be under way; one whose outcome never comes must not be kept for ever. */
const maxBegun = 10_000;

export function observed(mediation: Mediation, collector: Pick<Collector, 'tell'>, nowMs: () => number): Mediation {
  const begun = new Map<number, Begun>();
  const decided = (startedAt: number, request: Request, recorded: Recorded): void => {
    if (request.act.action !== 'llm.invoke') return;
    const { decision, entry } = recorded;
    if (decision.effect === 'deny' || !entry) return collector.tell(refused({ startedAt, request, recorded }, nowMs()));
    if (begun.size >= maxBegun) for (const [oldest] of begun) if (begun.size >= maxBegun) begun.delete(oldest);
    begun.set(entry.index, { startedAt, request, recorded });
  };
  return {
    async mediate(request, body) {
      const startedAt = nowMs();
      const recorded = await mediation.mediate(request, body);
      decided(startedAt, request, recorded);
      return recorded;
    },
    async recordRefusal(request, reason, rule) {
      const recorded = await mediation.recordRefusal(request, reason, rule);
      decided(nowMs(), request, recorded);
      return recorded;
    },
    async recordOutcome(of, outcome) {
      const call = begun.get(of);
      begun.delete(of);
      await mediation.recordOutcome(of, outcome);
      if (call) collector.tell(ended(call, outcome, nowMs()));
    },
    recordMissed: () => mediation.recordMissed(),
    settled: (session, limitMs) => mediation.settled(session, limitMs),
    finish: (session) => mediation.finish(session),
  };
}

function common({ startedAt, request, recorded }: Begun): Omit<ObservedCall, 'endedAt' | 'decision'> {
  const { principal, act } = request;
  return {
    startedAt,
    principal,
    requestedModel: act.action === 'llm.invoke' ? act.requestedModel : '',
    ...(recorded.classification === undefined ? {} : { classification: recorded.classification }),
    policies: recorded.decision.policies,
    ledgerIndex: recorded.entry?.index,
  };
}

function refused(call: Begun, endedAt: number): ObservedCall {
  const { decision } = call.recorded;
  return { ...common(call), endedAt, decision: 'deny', errorType: decision.effect === 'deny' ? decision.reason.code : 'LEDGER_APPEND' };
}

function ended(call: Begun, { provider, perimeter, status, decision, reason, detail = {} }: Partial<EntryBody>, now: number): ObservedCall {
  const count = (name: string): number | undefined => {
    const value = detail[name];
    return typeof value === 'number' ? value : undefined;
  };
  const [inputTokens, outputTokens, cachedTokens, ms] = ['inputTokens', 'outputTokens', 'cachedTokens', 'ms'].map(count);
  const { model } = detail;
  const errorType = status !== undefined && status >= 400 ? String(status) : reason === undefined ? undefined : 'incomplete';
  return {
    ...common(call),
    endedAt: ms === undefined ? now : call.startedAt + ms,
    decision: decision ?? 'allow',
    ...(provider !== undefined && perimeter !== undefined && typeof model === 'string' ? { target: { provider, perimeter, model } } : {}),
    ...(status === undefined ? {} : { status }),
    ...(errorType === undefined ? {} : { errorType }),
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
  };
}
