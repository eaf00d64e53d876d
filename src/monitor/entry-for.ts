// The ledger entry of a decision: kinds, counts and hashes of what was asked, never its content.
import crypto from 'node:crypto';
import { type Act, assertNever, type Body, type Decision, type EntryBody, type Report, type Request } from '../core/index.ts';
import type { Facts } from './facts.ts';

/** @param facts what policy was told; `undefined` when it was not asked */
export function entryFor(
  request: Request,
  body: Body,
  decision: Decision,
  report: Report | undefined,
  facts: Facts | undefined,
): EntryBody {
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
    ...(facts ? { classification: facts.classification, labels: facts.labels } : {}),
    decision: decision.effect,
    ...(allowed ? {} : { reason: decision.reason.text }),
    policies: decision.policies,
    bytesOut: body.bytes.length,
    bytesIn: 0,
    ...(body.bytes.length > 0 ? { bodySha256: crypto.hash('sha256', body.bytes, 'hex') } : {}),
    detail: {
      ...actDetail(act),
      vetting: principal.vetting,
      ...(report && report.findings.length > 0 ? { findings: summarise(report) } : {}),
    },
  };
}

function actFields(act: Act): Partial<EntryBody> {
  switch (act.action) {
    case 'llm.invoke':
      return { method: bounded(act.method), path: bounded(act.path), requestedModel: act.requestedModel };
    case 'http.request':
      return { method: bounded(act.method), path: bounded(act.path) };
    case 'net.connect':
      return {};
    default:
      return assertNever(act);
  }
}

const longest = 1024;

/** What an agent may make as long as it likes must not fill the disk that the ledger needs. */
function bounded(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters, sha256:${crypto.hash('sha256', text)})`;
}

/** What else the decision rested on, so that it can be asked again later. */
function actDetail(act: Act): NonNullable<EntryBody['detail']> {
  switch (act.action) {
    case 'llm.invoke':
      return { dialect: act.dialect, targets: act.targets.map(({ provider, model }) => `${provider}/${model}`) };
    case 'http.request':
      return { scheme: act.scheme, isDirect: act.isDirect, isGranted: act.isGranted };
    case 'net.connect':
      return { protocol: act.protocol, isDirect: act.isDirect, isGranted: act.isGranted };
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
