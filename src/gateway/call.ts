// One model call, in order: read it, name the candidates, have it judged and recorded, try what the decision allows, pass the
// answer on, record what came of it. Every way out of here that is not an answer is a refusal in the caller's dialect.
import type { Readable } from 'node:stream';
import {
  assertNever,
  type Body,
  codeOf,
  type Decision,
  type Dialect,
  denyFor,
  type EntryBody,
  type ExchangeHead,
  type ExchangeReply,
  type Principal,
  type Request,
  type Target,
} from '../core/index.ts';
import { type BodyCall, mapError, type ReadCall, type RefusalKind, readCall, readUsage, type Usage } from '../wire/index.ts';
import { type AttemptDeps, attempt, type Outcome } from './attempt.ts';
import { headersDown, lacksHeader } from './headers.ts';
import { refusalForHosted } from './hosted-tools.ts';
import type { Outcomes } from './outcomes.ts';
import { type BodyLimits, readBody } from './read-body.ts';
import { faultText, refusalText, refuse } from './refuse.ts';
import { type Asked, candidates, viewsOf } from './route.ts';
import { StreamReply } from './stream-reply.ts';
import { within } from './within.ts';

export interface Mediated {
  readonly decision: Decision;
  readonly entry: { readonly index: number } | undefined;
}

export interface CallDeps extends AttemptDeps {
  mediate(request: Request, body: Body): Promise<Mediated>;
  /** Records what was refused here, before policy was asked. */
  recordRefusal(request: Request, reason: string): Promise<Mediated>;
  readonly outcomes: Outcomes;
  readonly limits: CallLimits;
  onFault(fault: unknown): void;
}

export interface CallLimits extends BodyLimits {
  /** For inspection, decision and ledger together; a refusal reaches the caller within 5 s. */
  readonly mediateMs: number;
  readonly keepAliveMs: number;
}

/** What a caller with a budget may still do. */
export interface Allowance {
  /** Takes one request off the budget. Why not, when it is used up. */
  take(): string | undefined;
  spend(spent: Spent): void;
}

export interface Spent {
  readonly target: Target;
  readonly usage: Usage | undefined;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

export interface CallInput {
  readonly call: BodyCall;
  readonly head: ExchangeHead;
  readonly body: Readable;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly allowance?: Allowance;
}

/** A call that was understood and has somewhere to go. */
interface Understood {
  readonly bytes: Uint8Array;
  readonly read: ReadCall;
  readonly targets: readonly Target[];
}

/** Our own no, before policy is asked. */
interface OwnRefusal {
  readonly reason: string;
  readonly policy: string;
  readonly kind: RefusalKind;
  readonly model: string;
}

export async function handleCall(deps: CallDeps, input: CallInput): Promise<ExchangeReply> {
  const understood = await understand(deps, input);
  if ('reason' in understood) return refuseOwn(deps, input, understood);
  const { read, bytes, targets } = understood;
  const { call, head, principal, signal } = input;
  const { decision, entry } = await judge(deps, requestOf(input, read.model, targets), {
    bytes,
    contentType: 'application/json',
    views: viewsOf(head),
  });
  if (decision.effect === 'deny') {
    const kind = decision.reason.code === 'POLICY' ? 'policy' : 'fault';
    return refuse(call.dialect, { reason: decision.reason.text, policies: decision.policies, entry: entry?.index, kind });
  }
  const allowed = decision.route.kind === 'targets' ? decision.route.targets.filter((target) => isAmong(targets, target)) : [];
  const [first, ...others] = allowed;
  if (!first || !entry) {
    const reason = 'the decision names no target of this call';
    if (entry) deps.outcomes.add(entry.index, { decision: 'deny', reason, status: 400 });
    return refuse(call.dialect, { reason, policies: [], entry: entry?.index, kind: 'fault' });
  }

  const asked: Asked = { call, head, principal, model: read.model, stream: read.stream, bytes };
  const passage: Passage = { deps, input, asked, read, decision, entry: entry.index };
  const outcome = attempt(deps, asked, [first, ...others], signal);
  return read.stream ? firstSign(passage, outcome) : answer(passage, await outcome);
}

async function understand(deps: CallDeps, { call, head, body, principal, signal, allowance }: CallInput): Promise<Understood | OwnRefusal> {
  let model = '';
  try {
    const bytes = await readBody(body, deps.limits, signal);
    const read = readCall(call.dialect, call, bytes);
    model = read.model;
    const hosted = refusalForHosted(read.serverTools);
    if (hosted !== undefined) return { reason: hosted, policy: 'provider-tools', kind: 'policy', model };
    const targets = candidates(deps, { call, head, principal, model });
    if (targets.length === 0) return { reason: noTarget(model, call.dialect), policy: 'model-map', kind: 'policy', model };
    const exhausted = allowance?.take();
    if (exhausted !== undefined) return { reason: exhausted, policy: 'budget', kind: 'budget', model };
    return { bytes, read, targets };
  } catch (fault) {
    if (codeOf(fault) === undefined) deps.onFault(fault);
    return { reason: faultText(fault), policy: 'fail-closed', kind: 'fault', model };
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
    const reason = 'the decision came too late';
    mediated.then(({ entry }) => entry && deps.outcomes.add(entry.index, { decision: 'deny', reason, status: 400 })).catch(deps.onFault);
    return { decision: denyFor('INSPECT_LIMIT'), entry: undefined };
  } catch (fault) {
    deps.onFault(fault);
    return { decision: denyFor(codeOf(fault) ?? 'INTERNAL'), entry: undefined };
  }
}

async function refuseOwn(deps: CallDeps, input: CallInput, { reason, policy, kind, model }: OwnRefusal): Promise<ExchangeReply> {
  const recorded = await deps.recordRefusal(requestOf(input, model, []), reason).catch((fault: unknown) => {
    deps.onFault(fault);
    return undefined;
  });
  return refuse(input.call.dialect, { reason, policies: [policy], entry: recorded?.entry?.index, kind });
}

function isAmong(targets: readonly Target[], { provider, model }: Target): boolean {
  return targets.some((target) => target.provider === provider && target.model === model);
}

interface Passage {
  readonly deps: CallDeps;
  readonly input: CallInput;
  readonly asked: Asked;
  readonly read: ReadCall;
  readonly decision: Decision;
  readonly entry: number;
}

/**
 * For a stream: an upstream that is silent for long leaves the caller with an open stream and signs of life. From then on a failure
 * can only be an error event in it.
 */
async function firstSign(passage: Passage, outcome: Promise<Outcome>): Promise<ExchangeReply> {
  const { deps, input } = passage;
  const inTime = await within(outcome, deps.limits.keepAliveMs);
  if (inTime) return answer(passage, inTime);

  let came: Outcome | undefined;
  let ended: End | undefined;
  const settleBoth = (): void => {
    if (came && ended) settle(passage, came, came.kind === 'stream' ? came.answer.status : 400, ended);
  };
  const stream = streamFor(passage, (end) => {
    ended = end;
    settleBoth();
  });
  const arrived = (late: Outcome): void => {
    came = late;
    if (ended) settleBoth();
    if (late.kind === 'stream') stream.passOn(late.answer);
    else if (late.kind === 'whole') stream.failWith('the upstream did not stream its answer');
    else
      stream.failWith(
        late.kind === 'error' ? `provider ${late.target.provider} answered with status ${late.error.status}` : failedReason(late),
      );
  };
  outcome.then(arrived, (fault: unknown) => {
    deps.onFault(fault);
    stream.failWith(faultText(fault));
  });
  stream.showLife();
  const form = input.call.kind === 'invoke' ? input.call.streamForm : 'sse';
  return {
    status: 200,
    rawHeaders: ['content-type', form === 'sse' ? 'text/event-stream' : 'application/json', 'cache-control', 'no-cache'],
    body: stream,
  };
}

function failedReason({ target, fault }: Extract<Outcome, { kind: 'fault' }>): string {
  return codeOf(fault) === 'CREDENTIAL_MISUSED'
    ? faultText(fault)
    : `no allowed target answered: provider ${target.provider}: ${faultText(fault)}`;
}

function streamFor(passage: Passage, onEnd: ConstructorParameters<typeof StreamReply>[0]['onEnd']): StreamReply {
  const { deps, input, decision, entry } = passage;
  return new StreamReply({
    dialect: input.call.dialect,
    form: input.call.kind === 'invoke' ? input.call.streamForm : 'sse',
    keepAliveMs: deps.limits.keepAliveMs,
    errorText: (reason) => refusalText({ reason, policies: decision.policies, entry }),
    onEnd,
  });
}

/** The reply for an outcome that came before anything was sent. */
function answer(passage: Passage, outcome: Outcome): ExchangeReply {
  const { input, decision, entry } = passage;
  const { dialect } = input.call;
  switch (outcome.kind) {
    case 'whole': {
      const usage = readUsage(dialect, outcome.body);
      settle(passage, outcome, outcome.status, { bytesIn: outcome.body.length, usage });
      return { status: outcome.status, rawHeaders: withLength(outcome.rawHeaders, outcome.body), body: outcome.body };
    }
    case 'stream': {
      const stream = streamFor(passage, (end) => settle(passage, outcome, outcome.answer.status, end));
      stream.passOn(outcome.answer);
      return { status: outcome.answer.status, rawHeaders: headersDown(outcome.answer.rawHeaders), body: stream };
    }
    case 'error': {
      const { error } = outcome;
      const mapped = mapError(error.dialect, dialect, error.status, error.body);
      settle(passage, outcome, mapped.status, { bytesIn: error.body.length, usage: undefined });
      return { status: mapped.status, rawHeaders: withLength(error.rawHeaders, mapped.body), body: mapped.body };
    }
    case 'fault': {
      const reason = failedReason(outcome);
      settle(passage, outcome, 400, { bytesIn: 0, usage: undefined, fault: reason });
      const policies = codeOf(outcome.fault) === 'CREDENTIAL_MISUSED' ? ['credentials'] : decision.policies;
      return refuse(dialect, { reason, policies, entry, kind: 'fault' });
    }
    default:
      return assertNever(outcome);
  }
}

function withLength(rawHeaders: readonly string[], body: Uint8Array): readonly string[] {
  const kept = headersDown(rawHeaders);
  if (lacksHeader(kept, 'content-type')) kept.push('content-type', 'application/json');
  return [...kept, 'content-length', String(body.length)];
}

interface End {
  readonly bytesIn: number;
  readonly usage: Usage | undefined;
  readonly fault?: string;
}

/** Records what came of an allowed call. It has left already, so a ledger that fails now can only be reported. */
function settle({ deps, input, asked, read, entry }: Passage, outcome: Outcome, status: number, { bytesIn, usage, fault }: End): void {
  const { principal } = input;
  const { target, bytesOut, attempts } = outcome;
  input.allowance?.spend({ target, usage, bytesOut, bytesIn });
  const body: Partial<EntryBody> = {
    action: 'llm.invoke',
    class: 'model',
    session: principal.session,
    user: principal.user,
    agent: principal.agent,
    purpose: principal.purpose,
    requestedModel: asked.model,
    provider: target.provider,
    perimeter: target.perimeter,
    status,
    bytesOut,
    bytesIn,
    ...(fault === undefined ? {} : { reason: fault }),
    detail: {
      model: target.model,
      stream: asked.stream,
      attempts,
      ...(usage ? { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, cachedTokens: usage.cachedTokens } : {}),
      ...(read.serverTools.length > 0 ? { providerTools: [...read.serverTools] } : {}),
    },
  };
  deps.outcomes.add(entry, body);
}
