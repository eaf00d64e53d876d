// The ledger entry of a decision: kinds, counts and hashes of what was asked, never its content.
import crypto from 'node:crypto';
import { type Act, assertNever, type Body, type Decision, type EntryBody, type Report, type Request } from '../core/index.ts';

export function entryFor(request: Request, body: Body, decision: Decision, report: Report | undefined): EntryBody {
  const { principal, act } = request;
  const allowed = decision.effect === 'allow';
  const first = allowed && decision.route.kind === 'targets' ? decision.route.targets[0] : undefined;
  return {
    action: act.action,
    session: principal.session,
    user: principal.user,
    agent: principal.agent,
    purpose: principal.purpose,
    class: act.class,
    host: act.host,
    port: act.port,
    ...actFields(act),
    ...(first ? { provider: first.provider, perimeter: first.perimeter } : {}),
    ...(report ? { classification: report.classification, labels: report.labels } : {}),
    decision: decision.effect,
    ...(allowed ? {} : { reason: decision.reason.text }),
    policies: decision.policies,
    bytesOut: body.bytes.length,
    bytesIn: 0,
    ...(body.bytes.length > 0 ? { bodySha256: crypto.hash('sha256', body.bytes, 'hex') } : {}),
    ...(report && report.findings.length > 0 ? { detail: { findings: summarise(report) } } : {}),
  };
}

function actFields(act: Act): Partial<EntryBody> {
  switch (act.action) {
    case 'llm.invoke':
      return { method: act.method, path: act.path, requestedModel: act.requestedModel };
    case 'http.request':
      return { method: act.method, path: act.path, ...(act.isDirect ? { detail: { isDirect: true } } : {}) };
    case 'net.connect':
      return { detail: { protocol: act.protocol, isDirect: act.isDirect } };
    default:
      return assertNever(act);
  }
}

/** At most 32 lines `detector:tier`, each with its count; an entry is bounded. */
function summarise(report: Report): string[] {
  const counts = new Map<string, number>();
  for (const { detector, tier } of report.findings) counts.set(`${detector}:${tier}`, (counts.get(`${detector}:${tier}`) ?? 0) + 1);
  return [...counts].slice(0, 32).map(([what, n]) => `${what}:${n}`);
}
