// The reference monitor: the only file that knows the order inspect → decide → record.
import {
  type Body,
  codeOf,
  type Decision,
  denyFor,
  type EntryBody,
  failClosed,
  highestClassification,
  type Report,
  type Request,
} from '../core/index.ts';
import { entryFor } from './entry-for.ts';
import type { Facts } from './facts.ts';
import type { Taint } from './taint.ts';

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
  let facts: Facts | undefined;
  const decision = await failClosed(async () => {
    report = await deps.inspect(body, { session: principal.session });
    if (report.refused) return denyFor(report.refused.code);
    const seen = deps.taint.raise(principal.session, report, principal.classification);
    facts = {
      labels: seen.labels,
      classification: highestClassification(seen.classification, principal.classification),
      now: deps.now(),
    };
    return deps.decide(request, facts);
  });
  try {
    const entry = await deps.append(entryFor(request, body, decision, report, facts));
    return { decision, report, entry };
  } catch (fault) {
    return { decision: denyFor(codeOf(fault) ?? 'LEDGER_APPEND'), report, entry: undefined };
  }
}
