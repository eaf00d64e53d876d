// One model call, in order: read it, name the candidates, have it judged and recorded, try what the decision allows, pass the
// answer on, record what came of it. Every way out of here that is not an answer is a refusal in the caller's dialect.
import { type Body, codeOf, type Dialect, denyFor, type ExchangeReply, type OwnRule, type Request, type Target } from '../core/index.ts';
import { estimateTokens, type ReadCall, type RefusalKind, readCall } from '../wire/index.ts';
import { answer, firstSign, type Passage } from './answer.ts';
import { attempt } from './attempt.ts';
import type { CallDeps, CallInput, Mediated } from './call-input.ts';
import { refusalForHosted, ruleOnHosted } from './hosted-tools.ts';
import { readBody } from './read-body.ts';
import { faultText, refuse } from './refuse.ts';
import { Restoring } from './restore-secrets.ts';
import { type Asked, candidates, viewsOf } from './route.ts';
import { within } from './within.ts';

/** A call that was understood and has somewhere to go. */
interface Understood {
  readonly bytes: Uint8Array;
  readonly read: ReadCall;
  readonly targets: readonly Target[];
}

/** Our own no, before policy is asked. */
interface OwnRefusal {
  readonly reason: string;
  readonly rule: OwnRule;
  readonly kind: RefusalKind;
  readonly model: string;
}

export async function handleCall(deps: CallDeps, input: CallInput): Promise<ExchangeReply> {
  const understood = await understand(deps, input);
  if ('status' in understood) return understood;
  if ('reason' in understood) return refuseOwn(deps, input, understood);
  const { read, bytes, targets } = understood;
  const { call, head, principal, signal } = input;
  const { decision, entry, replaced, classification } = await judge(deps, requestOf(input, read.model, targets), {
    bytes,
    contentType: 'application/json',
    views: viewsOf(deps, input, targets),
  });
  if (decision.effect === 'deny') {
    const kind = decision.reason.code === 'POLICY' ? 'policy' : 'fault';
    deps.metrics.refused(kind);
    return refuse(call.dialect, { reason: decision.reason.text, policies: decision.policies, entry: entry?.index, kind });
  }
  const allowed = decision.route.kind === 'targets' ? decision.route.targets.filter((target) => isAmong(targets, target)) : [];
  const [first, ...others] = allowed;
  if (!first || !entry) {
    const reason = 'the decision names no target of this call';
    if (entry) deps.outcomes.add(entry.index, { decision: 'deny', reason, policies: ['fail-closed'], status: 400 });
    return refuse(call.dialect, { reason, policies: [], entry: entry?.index, kind: 'fault' });
  }

  const hosted = ruleOnHosted(call, replaced?.bytes ?? bytes, read.serverTools, classification, deps.providerTools);
  if (typeof hosted === 'string') {
    deps.outcomes.add(entry.index, { decision: 'deny', reason: hosted, policies: ['provider-tools'], status: 400 });
    deps.metrics.refused('policy');
    return refuse(call.dialect, { reason: hosted, policies: ['provider-tools'], entry: entry.index, kind: 'policy' });
  }

  const asked: Asked = { call, head, principal, model: read.model, stream: read.stream, bytes: hosted.bytes };
  const passage: Passage = {
    deps,
    input,
    asked,
    read,
    decision,
    entry: entry.index,
    lossy: [],
    strippedTools: hosted.stripped,
    began: performance.now(),
    ...(replaced ? { restoring: new Restoring(replaced.originals) } : {}),
  };
  const outcome = attempt(deps, asked, [first, ...others], signal, (lossy) => {
    passage.lossy = lossy;
  });
  return read.stream ? firstSign(passage, outcome) : answer(passage, await outcome);
}

async function understand(
  deps: CallDeps,
  { call, head, body, principal, signal, place, allowance }: CallInput,
): Promise<Understood | OwnRefusal | ExchangeReply> {
  let model = '';
  try {
    const bytes = await readBody(body, deps.limits, place.hold, signal);
    const read = readCall(call.dialect, call, bytes);
    model = read.model;
    const hosted = refusalForHosted(read.serverTools);
    if (hosted !== undefined) return { reason: hosted, rule: 'provider-tools', kind: 'policy', model };
    const targets = candidates(deps, { call, head, principal, model });
    if (targets.length === 0 && call.kind === 'count-tokens') return estimateTokens(call, bytes);
    if (targets.length === 0) return { reason: noTarget(model, call.dialect), rule: 'model-map', kind: 'policy', model };
    const exhausted = allowance?.take();
    if (exhausted !== undefined) return { reason: exhausted, rule: 'budget', kind: 'budget', model };
    return { bytes, read, targets };
  } catch (fault) {
    if (codeOf(fault) === undefined) deps.onFault(fault);
    return { reason: faultText(fault), rule: 'fail-closed', kind: 'fault', model };
  }
}

function noTarget(model: string, dialect: Dialect): string {
  return `the model map has no target for ${JSON.stringify(model)} that can be reached in ${dialect}`;
}

function requestOf({ call, head, principal }: CallInput, requestedModel: string, targets: readonly Target[]): Request {
  const { host, port, method } = head;
  return {
    principal,
    act: { action: 'llm.invoke', class: 'model', dialect: call.dialect, host, port, method, path: call.path, requestedModel, targets },
  };
}

/** The one catch of this enforcement point: a fault, or a monitor that does not come back, is a refusal. */
async function judge(deps: CallDeps, request: Request, body: Body): Promise<Mediated> {
  try {
    deps.outcomes.flush();
    const mediated = deps.mediate(request, body);
    const inTime = await within(mediated, deps.limits.mediateMs);
    if (inTime) return inTime;
    // What is decided too late is on record as what it was: refused.
    const reason = 'the decision came too late, because too much is under way at once (INSPECT_LIMIT)';
    mediated
      .then(({ entry }) => entry && deps.outcomes.add(entry.index, { decision: 'deny', reason, policies: ['fail-closed'], status: 400 }))
      .catch(deps.onFault);
    return { decision: { effect: 'deny', reason: { code: 'INSPECT_LIMIT', text: reason }, policies: [] }, entry: undefined };
  } catch (fault) {
    deps.onFault(fault);
    return { decision: denyFor(codeOf(fault) ?? 'INTERNAL'), entry: undefined };
  }
}

async function refuseOwn(deps: CallDeps, input: CallInput, { reason, rule, kind, model }: OwnRefusal): Promise<ExchangeReply> {
  const recorded = await deps.recordRefusal(requestOf(input, model, []), reason, rule).catch((fault: unknown) => {
    deps.onFault(fault);
    return undefined;
  });
  deps.metrics.refused(kind);
  return refuse(input.call.dialect, { reason, policies: [rule], entry: recorded?.entry?.index, kind });
}

function isAmong(targets: readonly Target[], { provider, model }: Target): boolean {
  return targets.some((target) => target.provider === provider && target.model === model);
}
