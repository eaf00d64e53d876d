// How we say no, in the caller's own dialect. HTTP 400 for a policy: agents show a 400 to their user and stop, whereas 403, 429 and
// 5xx make them retry for minutes or hide the text.
import { type Dialect, type ExchangeReply, product } from '../core/index.ts';
import type { StreamForm } from './detect.ts';
import { errorBody, messageTo } from './error-body.ts';
import { encode, type Json } from './json.ts';

export type RefusalKind = 'policy' | 'budget' | 'fault' | 'auth' | 'not-found' | 'upgrade';

const statuses: Readonly<Record<RefusalKind, number>> = { policy: 400, budget: 400, fault: 400, auth: 401, 'not-found': 404, upgrade: 426 };

/** INVARIANT: never `server_error`, and no code that clients take for a passing condition: they would retry in silence. */
const codes: Readonly<Record<RefusalKind, string>> = {
  policy: 'policy_refusal',
  budget: 'budget_refusal',
  fault: 'policy_refusal',
  auth: 'invalid_api_key',
  'not-found': 'not_found',
  upgrade: 'upgrade_refused',
};

export interface WireReply extends ExchangeReply {
  readonly body: Uint8Array;
}

/** A refusal before the first byte; the same whether the client asked for a stream or not. */
export function refusal(dialect: Dialect, { message, kind }: { readonly message: string; readonly kind: RefusalKind }): WireReply {
  const status = statuses[kind];
  const body = encode(errorBody(dialect, status, prefixed(message), codes[kind]));
  return { status, rawHeaders: jsonHeaders(body), body };
}

export function jsonHeaders(body: Uint8Array): readonly string[] {
  return ['content-type', 'application/json', 'content-length', String(body.byteLength)];
}

function prefixed(message: string): string {
  return message.startsWith(product.refusalPrefix) ? message : `${product.refusalPrefix} ${message}`;
}

/**
 * The dialect's own error event, for a failure after the first byte. No clean end may follow it.
 * @param sequence number of the next event, where a dialect counts them
 */
export function streamError(dialect: Dialect, said: string, form: StreamForm = 'sse', sequence = 0): Uint8Array {
  const { message, isTooLong } = messageTo(dialect, said);
  switch (dialect) {
    case 'anthropic-messages':
      return event('error', errorBody(dialect, 500, message));
    case 'openai-chat':
      return event(undefined, { error: streamFailure(message, isTooLong) });
    case 'openai-responses': {
      const error = streamFailure(message, isTooLong);
      const response = { object: 'response', status: 'failed', error: { code: error.code, message }, output: [] };
      return Buffer.concat([
        event('error', { ...responsesError(error), sequence_number: sequence }),
        event('response.failed', { type: 'response.failed', sequence_number: sequence + 1, response }),
      ]);
    }
    case 'gemini': {
      const body = errorBody(dialect, 500, message);
      // In an array the error is one more element, and the array stays open: a reader that waits for its end sees a cut.
      return form === 'sse' ? event(undefined, body) : Buffer.concat([Buffer.from(',\r\n'), encode(body)]);
    }
  }
}

type StreamFailure = {
  readonly message: string;
  readonly type: 'api_error';
  readonly param: null;
  readonly code: 'stream_failed' | 'context_length_exceeded';
};

/** OpenAI's clients try again, unless the code says that it would be for nothing. */
export function streamFailure(message: string, isTooLong: boolean): StreamFailure {
  return { message, type: 'api_error', param: null, code: isTooLong ? 'context_length_exceeded' : 'stream_failed' };
}

/** As it is documented, and as it is sent: the SDKs raise what stands under `error`. Codex acts on the `response.failed` that follows. */
export function responsesError(error: StreamFailure) {
  const { message, param, code } = error;
  return { type: 'error', code, message, param, error: { ...error } };
}

/**
 * Shows a waiting client that somebody is there; carries no content. Gemini's own client library (1.x) takes a comment line for
 * broken data and accepts blank space before an event, so it gets an empty line in either framing.
 */
export function keepAlive(dialect: Dialect, form: StreamForm = 'sse'): Uint8Array {
  if (dialect === 'anthropic-messages') return event('ping', { type: 'ping' });
  return Buffer.from(dialect === 'gemini' || form === 'json-array' ? '\n' : ': keep-alive\n\n');
}

/** One server-sent event. */
export function event(name: string | undefined, data: Json): Buffer {
  return Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
}
