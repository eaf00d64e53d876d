// The ledger entry of a decision: kinds, counts and hashes of what was asked, never its content.
import crypto from 'node:crypto';
import {
  type Act,
  assertNever,
  type Body,
  type Decision,
  type EntryBody,
  type Outgoing,
  type Report,
  type Request,
} from '../core/index.ts';
import type { Facts } from './facts.ts';

/**
 * @param body what would leave
 * @param facts what policy was told; `undefined` when it was not asked
 * @param placeholders how many different secrets were replaced in `body`
 */
export function entryFor(
  request: Request,
  body: Body,
  decision: Decision,
  report: Report | undefined,
  facts: Facts | undefined,
  placeholders = 0,
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
    ...actFields(act),
    ...(first ? { provider: first.provider, perimeter: first.perimeter } : {}),
    ...(facts ? { classification: facts.classification, labels: facts.labels } : {}),
    decision: decision.effect,
    ...(allowed ? {} : { reason: decision.reason.text }),
    policies: decision.policies,
    ...(isOutgoing(act) ? { bytesOut: body.bytes.length, bytesIn: 0 } : {}),
    ...(isOutgoing(act) && body.bytes.length > 0 ? { bodySha256: crypto.hash('sha256', body.bytes, 'hex') } : {}),
    detail: {
      ...actDetail(act, body, report),
      vetting: principal.vetting,
      ...(report && report.findings.length > 0 ? { findings: summarise(report) } : {}),
      ...(placeholders > 0 ? { placeholders } : {}),
    },
  };
}

function isOutgoing(act: Act): act is Outgoing {
  return 'host' in act;
}

function actFields(act: Act): Partial<EntryBody> {
  const place = isOutgoing(act) ? { class: act.class, host: act.host, port: act.port } : {};
  switch (act.action) {
    case 'llm.invoke':
      return { ...place, method: bounded(act.method), path: bounded(act.path), requestedModel: act.requestedModel };
    case 'http.request':
      return { ...place, method: bounded(act.method), path: bounded(act.path) };
    case 'net.connect':
      return place;
    case 'process.exec':
      return { path: bounded(act.path) };
    case 'secret.use':
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
function actDetail(act: Act, body: Body, report: Report | undefined): NonNullable<EntryBody['detail']> {
  switch (act.action) {
    case 'llm.invoke':
      return { dialect: act.dialect, targets: act.targets.map(({ provider, model }) => `${provider}/${model}`) };
    case 'http.request':
      return {
        scheme: act.scheme,
        isDirect: act.isDirect,
        isGranted: act.isGranted,
        ...(act.isRenewal ? { isRenewal: true } : {}),
        ...(act.servesModels ? { servesModels: true } : {}),
      };
    case 'net.connect':
      return { protocol: act.protocol, isDirect: act.isDirect, isGranted: act.isGranted };
    case 'process.exec': {
      const leads = act.realPath === act.path ? {} : { realPath: bounded(act.realPath) };
      return { ...leads, cwd: bounded(act.cwd), argv: withoutSecrets(body.bytes, report).map(bounded) };
    }
    case 'secret.use':
      return { name: bounded(act.name), use: act.use, what: bounded(act.what), isGranted: act.isGranted };
    default:
      return assertNever(act);
  }
}

/**
 * The arguments of a program, one a line in `bytes`, with each secret that was found in them blotted out. Where nothing could look for
 * secrets there is only their number.
 */
function withoutSecrets(bytes: Uint8Array, report: Report | undefined): string[] {
  if (bytes.length === 0) return [];
  const text = Buffer.from(bytes);
  const count = text.toString('latin1').split('\n').length;
  if (!report || report.refused) return [`(${count} arguments, not inspected)`];
  const secrets = report.findings.filter(({ kind }) => kind === 'secret').toSorted((a, b) => a.start - b.start);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of secrets) {
    if (start > at) parts.push(text.toString('utf8', at, start));
    if (end > at) parts.push('(secret)');
    at = Math.max(at, end);
  }
  parts.push(text.toString('utf8', at));
  return parts.join('').split('\n').slice(0, 64);
}

/** At most 32 lines `detector:tier`, each with its count; an entry is bounded. */
function summarise(report: Report): string[] {
  const counts = new Map<string, number>();
  for (const { detector, tier } of report.findings) counts.set(`${detector}:${tier}`, (counts.get(`${detector}:${tier}`) ?? 0) + 1);
  return [...counts].slice(0, 32).map(([what, n]) => `${what}:${n}`);
}
