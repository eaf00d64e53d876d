// The reference monitor: the only file that knows the order inspect → decide → record.
import {
  type Body,
  type Classification,
  codeOf,
  type Decision,
  denyFor,
  type EntryBody,
  failClosed,
  highestClassification,
  type Label,
  type Report,
  type Request,
} from '../core/index.ts';
import { entryFor } from './entry-for.ts';
import type { Taint } from './taint.ts';

/** What policy is told beside the request. */
export interface Facts {
  readonly labels: readonly Label[];
  /** The higher of the payload's class and of what the session has read before. */
  readonly classification: Classification;
  readonly now: Date;
}

export interface MonitorDeps {
  inspect(body: Body, context: { readonly session: string }): Promise<Report>;
  decide(request: Request, facts: Facts): Decision;
  append(entry: EntryBody): Promise<{ readonly index: number }>;
  readonly taint: Taint;
  now(): Date;
}

export interface Recorded {
  readonly decision: Decision;
  readonly report: Report | undefined;
  /** `undefined` only when the ledger could not record; the decision is then a refusal. */
  readonly entry: { readonly index: number } | undefined;
}

/** Every act of an agent passes here, once. INVARIANT: an allow is never returned before its ledger entry is durable. */
export async function mediate(request: Request, body: Body, deps: MonitorDeps): Promise<Recorded> {
  const { principal } = request;
  let report: Report | undefined;
  const decision = await failClosed(async () => {
    report = await deps.inspect(body, { session: principal.session });
    if (report.refused) return denyFor(report.refused.code);
    const seen = deps.taint.raise(principal.session, report, principal.classification);
    return deps.decide(request, {
      labels: seen.labels,
      classification: highestClassification(seen.classification, principal.classification),
      now: deps.now(),
    });
  });
  try {
    const entry = await deps.append(entryFor(request, body, decision, report));
    return { decision, report, entry };
  } catch (fault) {
    return { decision: denyFor(codeOf(fault) ?? 'LEDGER_APPEND'), report, entry: undefined };
  }
}
