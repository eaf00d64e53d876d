// From what the targets gave to what the caller gets: whole, streamed, an upstream's error, or a refusal; and the record of it.
import { assertNever, codeOf, type Decision, type EntryBody, type ExchangeReply, headerOf, type OwnRule } from '../core/index.ts';
import { type BodyCall, createStreamTranslator, errorMessage, estimateTokens, mapError, type ReadCall, type Usage } from '../wire/index.ts';
import type { Outcome } from './attempt.ts';
import type { CallDeps, CallInput } from './call-input.ts';
import { headersDown } from './headers.ts';
import { faultText, refusalText, refuse } from './refuse.ts';
import { type Restoring, StreamRestorer } from './restore-secrets.ts';
import type { Asked } from './route.ts';
import type { StreamFilter } from './stream-filter.ts';
import { StreamReply } from './stream-reply.ts';
import { within } from './within.ts';

export interface Passage {
  readonly deps: CallDeps;
  readonly input: CallInput;
  readonly asked: Asked;
  readonly read: ReadCall;
  readonly decision: Decision;
  readonly entry: number;
  /** What the translation for the target that is tried now has dropped. */
  lossy: readonly string[];
  /** Tools of the provider that were taken out. */
  readonly strippedTools: readonly string[];
  /** Milliseconds of the process's clock. */
  readonly began: number;
  /** Set when secrets of the call were replaced. */
  readonly restoring?: Restoring;
}

/**
 * For a stream: an upstream that is silent for long leaves the caller with an open stream and signs of life. From then on a failure
 * can only be an error event in it.
 */
export async function firstSign(passage: Passage, outcome: Promise<Outcome>): Promise<ExchangeReply> {
  const { deps, input } = passage;
  const inTime = await within(outcome, deps.limits.keepAliveMs);
  if (inTime) return answer(passage, inTime);

  const rest = withoutBody(passage);
  let came: Outcome | undefined;
  let ended: End | undefined;
  const settleBoth = (): void => {
    if (came && ended) settle(rest, came, came.kind === 'stream' ? came.answer.status : 400, ended);
  };
  const stream = streamFor(rest, (end) => {
    ended = end;
    settleBoth();
  });
  const arrived = (late: Outcome): void => {
    came = late;
    if (ended) settleBoth();
    if (late.kind === 'stream') stream.passOn(late.answer, translatorFor(late));
    else if (late.kind === 'whole') stream.failWith('the upstream did not stream its answer');
    else stream.failWith(late.kind === 'error' ? lateError(late) : failedReason(late));
  };
  outcome.then(arrived, (fault: unknown) => {
    deps.onFault(fault);
    stream.failWith(faultText(fault));
  });
  stream.showLife();
  return { status: 200, rawHeaders: [...streamHeaders(input.call, []), ...lossHeader(passage, passage.lossy)], body: stream };
}

/** The status went out long ago, so the words have to say it. */
function lateError({ target, error }: Extract<Outcome, { kind: 'error' }>): string {
  const message = errorMessage(error.body);
  return `provider ${target.provider} answered with status ${error.status}${message === undefined ? '' : `: ${message}`}`;
}

/** The body of the call has done its part; a stream may last for minutes and should not hold it. */
function withoutBody(passage: Passage): Passage {
  return { ...passage, asked: { ...passage.asked, bytes: new Uint8Array() } };
}

function failedReason({ target, fault }: Extract<Outcome, { kind: 'fault' }>): string {
  return codeOf(fault) === 'CREDENTIAL_MISUSED'
    ? faultText(fault)
    : `no allowed target answered: provider ${target.provider}: ${faultText(fault)}`;
}

function streamFor(passage: Passage, onEnd: ConstructorParameters<typeof StreamReply>[0]['onEnd']): StreamReply {
  const { deps, input, decision, entry, restoring } = passage;
  const { dialect } = input.call;
  const form = input.call.kind === 'invoke' ? input.call.streamForm : 'sse';
  return new StreamReply({
    dialect,
    form,
    ...(restoring ? { restorer: new StreamRestorer(dialect, form, restoring) } : {}),
    keepAliveMs: deps.limits.keepAliveMs,
    errorText: (reason) => refusalText({ reason, policies: decision.policies, entry }),
    onEnd,
  });
}

/** The reply for an outcome that came before anything was sent. */
export function answer(passage: Passage, outcome: Outcome): ExchangeReply {
  const { input, decision, entry } = passage;
  const { dialect } = input.call;
  switch (outcome.kind) {
    case 'whole': {
      const { status, contentType, bytesIn, usage } = outcome;
      const body = restoredBody(passage, outcome);
      settle(passage, outcome, status, { bytesIn, usage });
      return { status, rawHeaders: [...wholeHeaders(outcome.rawHeaders, body, contentType), ...lossHeader(passage, outcome.lossy)], body };
    }
    case 'stream': {
      const { status, rawHeaders } = outcome.answer;
      const rest = withoutBody(passage);
      const stream = streamFor(rest, (end) => settle(rest, outcome, status, end));
      stream.passOn(outcome.answer, translatorFor(outcome));
      return { status, rawHeaders: [...streamHeaders(input.call, rawHeaders), ...lossHeader(passage, outcome.lossy)], body: stream };
    }
    case 'error': {
      const { error } = outcome;
      const { call } = input;
      if (call.kind === 'count-tokens' && cannotCount.has(error.status)) {
        settle(passage, outcome, 200, { bytesIn: error.body.length, usage: undefined });
        return estimateTokens(call, passage.asked.bytes);
      }
      const { status, body, retryAfter } = mapError(
        error.dialect,
        dialect,
        error.status,
        error.body,
        headerOf(error.rawHeaders, 'retry-after'),
      );
      settle(passage, outcome, status, { bytesIn: error.body.length, usage: undefined });
      const rawHeaders = wholeHeaders(error.rawHeaders, body, 'application/json');
      return { status, rawHeaders: retryAfter === undefined ? rawHeaders : [...rawHeaders, 'retry-after', retryAfter], body };
    }
    case 'fault': {
      const reason = failedReason(outcome);
      const rule: OwnRule | undefined = codeOf(outcome.fault) === 'CREDENTIAL_MISUSED' ? 'credentials' : undefined;
      settle(passage, outcome, 400, { bytesIn: 0, usage: undefined, fault: reason, ...(rule ? { rule } : {}) });
      return refuse(dialect, { reason, policies: rule ? [rule] : decision.policies, entry, kind: 'fault' });
    }
    default:
      return assertNever(outcome);
  }
}

/** A whole answer, which is a whole stream where the caller asked for one. */
function restoredBody({ restoring, input }: Passage, { body, contentType }: Extract<Outcome, { kind: 'whole' }>): Uint8Array {
  if (!restoring) return body;
  if (!contentType.startsWith('text/event-stream')) return restoring.whole(body);
  const restorer = new StreamRestorer(input.call.dialect, 'sse', restoring);
  return Buffer.concat([restorer.push(body), restorer.end()]);
}

/** Statuses by which servers say that they have no such endpoint. */
const cannotCount: ReadonlySet<number> = new Set([404, 405, 501]);

function translatorFor({ translation }: Extract<Outcome, { kind: 'stream' }>): StreamFilter | undefined {
  return translation && createStreamTranslator(translation);
}

/** The caller's own framing, whatever the upstream calls its. */
function streamHeaders(call: BodyCall, rawHeaders: readonly string[]): readonly string[] {
  const isArray = call.kind === 'invoke' && call.streamForm === 'json-array';
  return ['content-type', isArray ? 'application/json' : 'text/event-stream', 'cache-control', 'no-cache', ...headersDown(rawHeaders)];
}

function lossHeader({ strippedTools }: Passage, lossy: readonly string[]): readonly string[] {
  const lost = [...new Set([...strippedTools.map((kind) => `tools.${kind}`), ...lossy])];
  return lost.length === 0 ? [] : ['x-intramur-lossy', lost.join(', ')];
}

function wholeHeaders(rawHeaders: readonly string[], body: Uint8Array, contentType: string): readonly string[] {
  return ['content-type', contentType, 'content-length', String(body.length), ...headersDown(rawHeaders)];
}

interface End {
  readonly bytesIn: number;
  readonly usage: Usage | undefined;
  readonly fault?: string;
  /** What refused it after all. */
  readonly rule?: OwnRule;
}

/** Records what came of an allowed call. It has left already, so a ledger that fails now can only be reported. */
function settle(passage: Passage, outcome: Outcome, status: number, { bytesIn, usage, fault, rule }: End): void {
  const { deps, input, asked, entry, began } = passage;
  const { principal } = input;
  const { target, bytesOut } = outcome;
  const { provider, perimeter } = target;
  const ms = performance.now() - began;
  deps.metrics.settled({ provider, perimeter, status, usage, bytesOut, bytesIn, ms });
  input.allowance?.spend({ target, usage, bytesOut, bytesIn });
  const body: { -readonly [name in keyof EntryBody]: EntryBody[name] } = {
    action: 'llm.invoke',
    class: 'model',
    session: principal.session,
    user: principal.user,
    agent: principal.agent,
    purpose: principal.purpose,
    requestedModel: asked.model,
    provider,
    perimeter,
    status,
    bytesOut,
    bytesIn,
    detail: detailOf(passage, outcome, Math.round(ms), usage),
  };
  if (fault !== undefined) body.reason = fault;
  if (rule) {
    body.decision = 'deny';
    body.policies = [rule];
  }
  deps.outcomes.add(entry, body);
}

/** In the order of the alphabet, which the ledger wants: it would have to sort it for every call. */
function detailOf(
  { asked, read, restoring, strippedTools }: Passage,
  { target, attempts, scrubs, lossy }: Outcome,
  ms: number,
  usage: Usage | undefined,
): NonNullable<EntryBody['detail']> {
  const detail: Record<string, string | number | boolean | readonly string[]> = { attempts };
  if (usage) {
    detail['cachedTokens'] = usage.cachedTokens;
    detail['inputTokens'] = usage.inputTokens;
  }
  if (lossy.length > 0) detail['lossy'] = [...lossy];
  detail['model'] = target.model;
  detail['ms'] = ms;
  if (usage) detail['outputTokens'] = usage.outputTokens;
  if (read.serverTools.length > 0) detail['providerTools'] = [...read.serverTools];
  if (restoring && restoring.count > 0) detail['restored'] = restoring.count;
  if (scrubs.length > 0) detail['scrubs'] = [...scrubs];
  detail['stream'] = asked.stream;
  if (strippedTools.length > 0) detail['strippedTools'] = [...strippedTools];
  return detail;
}
