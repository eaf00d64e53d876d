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
  const entry: Draft = {
    action: act.action,
    session: principal.session,
    user: principal.user,
    agent: principal.agent,
    purpose: principal.purpose,
    decision: decision.effect,
    policies: decision.policies,
  };
  addAct(entry, act);
  if (decision.effect === 'deny') entry.reason = decision.reason.text;
  const first = decision.effect === 'allow' && decision.route.kind === 'targets' ? decision.route.targets[0] : undefined;
  if (first) {
    entry.provider = first.provider;
    entry.perimeter = first.perimeter;
  }
  if (facts) {
    entry.classification = facts.classification;
    entry.labels = facts.labels;
  }
  if (isOutgoing(act)) {
    entry.bytesOut = body.bytes.length;
    entry.bytesIn = 0;
    if (body.bytes.length > 0) entry.bodySha256 = crypto.hash('sha256', body.bytes, 'hex');
  }
  const detail = actDetail(act, body, report);
  detail['vetting'] = principal.vetting;
  if (report && report.findings.length > 0) detail['findings'] = summarise(report);
  if (placeholders > 0) detail['placeholders'] = placeholders;
  entry.detail = detail;
  return entry;
}

/** Filled in place: every act waits for its entry, and objects that are made only to be taken apart cost more than what stands in them. */
type Draft = { -readonly [name in keyof EntryBody]: EntryBody[name] };
type Detail = Record<string, string | number | boolean | readonly string[]>;

function isOutgoing(act: Act): act is Outgoing {
  return 'host' in act;
}

function addAct(entry: Draft, act: Act): void {
  if (isOutgoing(act)) {
    entry.class = act.class;
    entry.host = act.host;
    entry.port = act.port;
  }
  switch (act.action) {
    case 'llm.invoke':
      entry.method = bounded(act.method);
      entry.path = bounded(act.path);
      entry.requestedModel = act.requestedModel;
      return;
    case 'http.request':
      entry.method = bounded(act.method);
      entry.path = bounded(act.path);
      return;
    case 'process.exec':
      entry.path = bounded(act.path);
      return;
    case 'net.connect':
    case 'secret.use':
      return;
    default:
      assertNever(act);
  }
}

const longest = 1024;

/** What an agent may make as long as it likes must not fill the disk that the ledger needs. */
function bounded(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters, sha256:${crypto.hash('sha256', text)})`;
}

/** What else the decision rested on, so that it can be asked again later. */
function actDetail(act: Act, body: Body, report: Report | undefined): Detail {
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
