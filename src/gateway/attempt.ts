// Tries the targets of a decision one after the other until one answers. INVARIANT: only targets of the decision, and none after
// the first byte of an answer has been passed on.
import crypto from 'node:crypto';
import timers from 'node:timers/promises';
import type { Agent } from 'undici';
import { codeOf, type Dialect, headerOf, IntramurError, type Target } from '../core/index.ts';
import { createStreamTranslator, readWhole, type Translation, translateResponse, type Usage } from '../wire/index.ts';
import type { Preference } from './circuit.ts';
import type { Departure } from './departure.ts';
import { headersDown } from './headers.ts';
import type { Check } from './resolve.ts';
import { type Asked, prepare, type RouteDeps } from './route.ts';
import { type Answer, collect, send, type UpstreamRequest, wasReset } from './upstream.ts';

export interface AttemptDeps extends RouteDeps {
  readonly agents: Readonly<Record<Check, Agent>>;
  readonly preference: Preference;
}

/** An upstream's own error, kept for the case that nobody does better. */
export interface UpstreamError {
  readonly dialect: Dialect;
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

interface Tried {
  /** One word per attempt, for the ledger: `coder: UPSTREAM_UNREACHABLE`. */
  readonly attempts: readonly string[];
  /** Bytes of bodies that were handed to a connection. */
  readonly bytesOut: number;
  readonly target: Target;
  readonly lossy: readonly string[];
  readonly scrubs: readonly string[];
}

export type Outcome = Tried &
  (Taken | { readonly kind: 'error'; readonly error: UpstreamError } | { readonly kind: 'fault'; readonly fault: unknown });

const maxWhole = 32 * 1024 * 1024;
const maxError = 1024 * 1024;

/** @param onPrepared told what a translation drops as soon as that is known */
export async function attempt(
  deps: AttemptDeps,
  asked: Asked,
  targets: readonly [Target, ...Target[]],
  signal: Departure,
  onPrepared: (lossy: readonly string[]) => void,
): Promise<Outcome> {
  const conversation = `${asked.call.dialect} ${asked.principal.session}`;
  const attempts: string[] = [];
  let bytesOut = 0;
  let lossy: readonly string[] = [];
  let scrubs: readonly string[] = [];
  let last: Outcome | undefined;
  for (const target of deps.preference.order(conversation, targets)) {
    const note = (word: string | number): Tried => {
      attempts.push(`${target.provider}: ${word}`);
      return { attempts, bytesOut, target, lossy, scrubs };
    };
    try {
      const request = prepare(deps, asked, target);
      lossy = request.lossy;
      scrubs = request.scrubs;
      onPrepared(lossy);
      bytesOut += request.body.length;
      const answer = await sendOnceOrTwice(deps.agents[request.check], request, signal);
      if (answer.status >= 300 && answer.status < 400) {
        answer.abort();
        throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream answered with a redirect, which is never followed');
      }
      if (answer.status < 300) {
        const taken = await take(answer, asked, request.translation);
        deps.preference.succeeded(conversation, target);
        return { ...note(answer.status), ...taken };
      }
      const body = (await collect(answer, maxError)) ?? new Uint8Array();
      const error = { dialect: target.dialect, status: answer.status, rawHeaders: headersDown(answer.rawHeaders), body };
      last = { ...note(answer.status), kind: 'error', error };
      // The call itself is at fault: another target would say the same, and should not be shown it for nothing.
      if (answer.status === 400 || answer.status === 413 || answer.status === 422) return last;
      deps.preference.failed(target);
    } catch (fault) {
      const code = codeOf(fault) ?? 'INTERNAL';
      const tried = note(code);
      if (signal.aborted || code === 'CREDENTIAL_MISUSED') return { ...tried, kind: 'fault', fault };
      if (code !== 'DIALECT_LOSSY') deps.preference.failed(target);
      // An answer of an upstream says more than a connection that failed after it.
      if (last?.kind !== 'error') last = { ...tried, kind: 'fault', fault };
    }
  }
  return (
    last ?? { attempts, bytesOut, lossy, scrubs, target: targets[0], kind: 'fault', fault: new IntramurError('INTERNAL', 'no target') }
  );
}

type Taken =
  | { readonly kind: 'stream'; readonly answer: Answer; readonly translation: Translation | undefined }
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly rawHeaders: readonly string[];
      /** In the caller's dialect; a whole stream when the caller asked for one and the upstream did not stream. */
      readonly body: Uint8Array;
      readonly contentType: string;
      readonly bytesIn: number;
      readonly usage: Usage | undefined;
    };

/** A stream is passed on from its first byte; anything else is read to its end, so that half an answer still counts as none. */
async function take(answer: Answer, { call, stream }: Asked, translation: Translation | undefined): Promise<Taken> {
  const type = (headerOf(answer.rawHeaders, 'content-type') ?? '').toLowerCase();
  const encoding = (headerOf(answer.rawHeaders, 'content-encoding') ?? 'identity').toLowerCase();
  const isArray = !translation && call.kind === 'invoke' && call.streamForm === 'json-array';
  const isStream = stream && (type === '' || type.startsWith(isArray ? 'application/json' : 'text/event-stream'));
  const fault =
    encoding !== 'identity'
      ? 'the upstream compressed its answer, though it was asked not to'
      : isStream || (type === '' && !stream) || type.startsWith('application/json')
        ? undefined
        : 'the answer has a media type that was not asked for';
  if (fault !== undefined) {
    answer.abort();
    throw new IntramurError('UPSTREAM_PROTOCOL', fault);
  }
  if (isStream) return { kind: 'stream', answer, translation };
  const body = await collect(answer, maxWhole);
  if (body === undefined) throw new IntramurError('UPSTREAM_PROTOCOL', `the answer is longer than ${maxWhole} bytes`);
  const whole = { kind: 'whole', status: answer.status, rawHeaders: answer.rawHeaders, bytesIn: body.length } as const;
  if (translation && stream) return { ...whole, ...streamOf(translation, body), contentType: 'text/event-stream' };
  if (translation) return { ...whole, ...translateResponse(translation, body), contentType: 'application/json' };
  const read = readWhole(call.dialect, body);
  if (!read) throw new IntramurError('UPSTREAM_PROTOCOL', 'the answer is not JSON');
  return { ...whole, body, usage: read.usage, contentType: type || 'application/json' };
}

/** A whole answer in the form of a stream, for a caller that asked for one. */
function streamOf(translation: Translation, body: Uint8Array): { readonly body: Uint8Array; readonly usage: Usage | undefined } {
  const translator = createStreamTranslator(translation);
  return { body: Buffer.concat([translator.whole(body), translator.end()]), usage: translator.usage };
}

/** A connection that the server closed while it was idle fails at the first byte; the same target gets one more chance. */
function sendOnceOrTwice(agent: Agent, request: UpstreamRequest, signal: Departure): Promise<Answer> {
  return send(agent, request, signal).catch(async (fault: unknown) => {
    if (!wasReset(fault) || signal.aborted) throw fault;
    await timers.setTimeout(20 + crypto.randomInt(80));
    return await send(agent, request, signal);
  });
}
