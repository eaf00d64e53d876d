// The reference monitor: the only file that knows the order inspect → decide → record.
import {
  type Body,
  type Classification,
  classificationRank,
  codeOf,
  type Decision,
  denyFor,
  type EntryBody,
  failClosed,
  highestClassification,
  type Label,
  type Principal,
  perimeterRank,
  type Report,
  type Request,
} from '../core/index.ts';
import type { KnownSecret, SecretPlaceholders } from '../inspect/index.ts';
import { entryFor } from './entry-for.ts';
import type { Facts } from './facts.ts';
import { classOfOpened, type FileClasses } from './opened.ts';
import { misusesPlaceholder } from './placeholder-misuse.ts';
import { type Replaced, replaceSecrets } from './replace-secrets.ts';
import type { Seen, Taint } from './taint.ts';

export interface MonitorDeps {
  inspect(body: Body, context: { readonly session: string; readonly knownSecrets?: readonly KnownSecret[] }): Promise<Report>;
  decide(request: Request, facts: Facts): Decision;
  append(entry: EntryBody): Promise<{ readonly index: number }>;
  readonly taint: Taint;
  /** Left out: nothing follows from which files a conversation names. */
  readonly files?: (() => FileClasses) | undefined;
  /** Left out: a secret is refused where it must not go, never replaced. */
  readonly placeholders?: SecretPlaceholders | undefined;
  now(): Date;
}

export interface Recorded {
  readonly decision: Decision;
  readonly report: Report | undefined;
  /** `undefined` only when the ledger could not record; the decision is then a refusal. */
  readonly entry: { readonly index: number } | undefined;
  /** Of payload and session together; left out when it did not come that far. */
  readonly classification?: Classification;
  /** What leaves instead of the body that was asked about. */
  readonly replaced?: Replaced;
}

/** Every act of an agent passes here, once. INVARIANT: an allow is never returned before its ledger entry is durable. */
export async function mediate(request: Request, body: Body, deps: MonitorDeps): Promise<Recorded> {
  const { principal } = request;
  let report: Report | undefined;
  let facts: Facts | undefined;
  let replaced: Replaced | undefined;
  const decision = await failClosed(async () => {
    report = await deps.inspect(body, { session: principal.session });
    if (report.refused) return denyFor(report.refused.code);
    if (misusesPlaceholder(request, report)) return denyFor('CREDENTIAL_MISUSED');
    const held = highestClassification(deps.taint.classificationOf(principal.session) ?? 'public', principal.classification);
    const named = classOfOpened(request, body, held, deps.files);
    const opened = typeof named === 'string' ? named : await named;
    const seen = deps.taint.raise(principal.session, report, highestClassification(principal.classification, opened));
    facts = { labels: labelsOf(seen, report, principal), classification: seen.classification, now: deps.now() };
    const asItIs = deps.decide(request, facts);
    if (asItIs.effect === 'allow' || !deps.placeholders || !facts.labels.includes('secret')) return asItIs;
    const other = await withPlaceholders(request, body, report, facts, deps, deps.placeholders);
    if (!other) return asItIs;
    facts = other.facts;
    if (other.decision.effect === 'allow') replaced = other.replaced;
    return other.decision;
  });
  try {
    const sent = replaced ? { ...body, bytes: replaced.bytes } : body;
    const entry = await deps.append(entryFor(request, sent, decision, report, facts, replaced?.originals.size));
    return { decision, report, entry, ...(facts ? { classification: facts.classification } : {}), ...(replaced ? { replaced } : {}) };
  } catch (fault) {
    return { decision: denyFor(codeOf(fault) ?? 'LEDGER_APPEND'), report, entry: undefined };
  }
}

/** In a session that has read more than it began with, what nothing could look into is a label of its own: it may be that. */
function labelsOf({ classification, labels }: Seen, report: Report, principal: Principal): readonly Label[] {
  const isTainted = classificationRank(classification) > Math.max(classificationRank(principal.classification), perimeterRank('public'));
  return report.isOpaque && isTainted ? [...labels, 'opaque'] : labels;
}

interface Other {
  readonly decision: Decision;
  readonly replaced: Replaced;
  readonly facts: Facts;
}

/**
 * A model call that may not go anywhere with its secrets is asked about once more without them. INVARIANT: what would leave then was
 * inspected anew, and the secrets themselves were looked for in it, in every encoding.
 * @returns `undefined` when they cannot be taken out
 */
async function withPlaceholders(
  request: Request,
  body: Body,
  report: Report,
  before: Facts,
  deps: MonitorDeps,
  placeholders: SecretPlaceholders,
): Promise<Other | undefined> {
  const { session } = request.principal;
  if (request.act.action !== 'llm.invoke') return undefined;
  const replaced = replaceSecrets(body.bytes, report.findings, (secret) => placeholders.of(session, secret));
  if (!replaced) return undefined;
  const knownSecrets = [...replaced.originals].map(([name, value]) => ({ name, value }));
  // What was found before counts only where the same was looked for.
  const history = `${session} without ${[...replaced.originals.keys()].toSorted().join()}`;
  const without = await deps.inspect({ ...body, bytes: replaced.bytes }, { session: history, knownSecrets });
  if (without.refused || without.labels.includes('secret')) return undefined;
  const labels = before.labels.filter((label) => label !== 'secret' || without.labels.includes(label));
  const facts = { ...before, labels: [...new Set([...labels, ...without.labels])] };
  return { decision: deps.decide(request, facts), replaced, facts };
}
