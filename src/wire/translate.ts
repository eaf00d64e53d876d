// From one dialect to another: read into the canonical form, write out of it. The pairs follow from the table of dialects.
import { randomUUID } from 'node:crypto';
import { type Dialect, IntramurError } from '../core/index.ts';
import { anthropicMessages } from './anthropic/dialect.ts';
import type { DialectFunctions } from './canonical/dialect.ts';
import { fieldName } from './canonical/dropped.ts';
import { Pruner } from './canonical/prune.ts';
import type { CanonicalRequest } from './canonical/request.ts';
import type { AnswerContext, StreamStep } from './canonical/response.ts';
import { Sequencer } from './canonical/sequence.ts';
import { ToolNames } from './canonical/tool-names.ts';
import { gemini } from './gemini/dialect.ts';
import { field } from './gemini/field.ts';
import { encode, objectOf, parseDocument, parseLenient } from './json.ts';
import { openAiChat } from './openai-chat/dialect.ts';
import { openAiResponses } from './openai-responses/dialect.ts';
import type { BodyCall } from './read-call.ts';
import { SseDecoder } from './sse.ts';
import type { Usage } from './usage.ts';

const dialectFunctions: Readonly<Record<Dialect, DialectFunctions>> = {
  'anthropic-messages': anthropicMessages,
  'openai-chat': openAiChat,
  'openai-responses': openAiResponses,
  gemini,
};

/** What has to be remembered of a translated request until its answer has come. */
export interface Translation {
  readonly client: Dialect;
  readonly upstream: Dialect;
  readonly answer: AnswerContext;
}

export interface TranslatedRequest {
  readonly body: Uint8Array;
  /** Path and query below the provider's address: `/chat/completions`. */
  readonly target: string;
  /** Fields that were lost and matter, as the client wrote them, safe for a header. */
  readonly lossy: readonly string[];
  readonly translation: Translation;
}

export interface TranslateOptions {
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  readonly newId?: () => string;
}

/**
 * @param call what `detectCall` said of the client's request
 * @param model the model's name at the upstream
 * @throws `DIALECT_LOSSY` when what is lost is the conversation itself: state that only the client's own vendor holds
 */
export function translateRequest(
  to: Dialect,
  call: Extract<BodyCall, { kind: 'invoke' }>,
  body: Uint8Array,
  model: string,
  { now = Date.now, newId = () => `call_${randomUUID().replaceAll('-', '')}` }: TranslateOptions = {},
): TranslatedRequest {
  const from = call.dialect;
  const names = new ToolNames();
  const source = parseDocument(body);
  const request = dialectFunctions[from].readRequest(source, names, call);
  const written = dialectFunctions[to].writeRequest({ ...request, model });
  return {
    body: encode(written.body),
    target: dialectFunctions[to].path(model, request.stream),
    lossy: [...new Set([...request.dropped, ...written.dropped.map((setting) => fieldName(from, setting))])],
    translation: {
      client: from,
      upstream: to,
      answer: {
        model: request.model,
        toolOf: (name) => names.clientTool(name),
        newId,
        createdAt: Math.floor(now() / 1000),
        includeUsage: objectOf(source['stream_options'])?.['include_usage'] === true,
        form: call.streamForm,
      },
    },
  };
}

/** The canonical form of a call's body. Gemini's count calls may hold the whole request one level deeper. */
export function readCanonical(call: BodyCall, body: Uint8Array): CanonicalRequest {
  const source = parseDocument(body);
  const inner = call.dialect === 'gemini' ? objectOf(field(source, 'generateContentRequest')) : undefined;
  return dialectFunctions[call.dialect].readRequest(inner ?? source, new ToolNames(), call);
}

/** A whole answer of the upstream in the client's dialect. Throws `UPSTREAM_PROTOCOL` when it is none. */
export function translateResponse(
  { client, upstream, answer }: Translation,
  body: Uint8Array,
): { readonly body: Uint8Array; readonly usage: Usage } {
  const parsed = objectOf(parseLenient(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()));
  if (!parsed) throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream answered with something that is not a JSON object');
  if (!answerFields[upstream].some((field) => parsed[field] !== undefined))
    throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream answered with something that is not an answer in its dialect');
  const response = dialectFunctions[upstream].readResponse(parsed, answer.newId);
  const parts = response.parts.map((part) =>
    part.kind === 'thinking' && part.signature ? { ...part, signature: { ...part.signature, text: part.text } } : part,
  );
  return { body: encode(dialectFunctions[client].writeResponse({ ...response, parts }, answer)), usage: response.usage };
}

const answerFields: Readonly<Record<Dialect, readonly string[]>> = {
  'anthropic-messages': ['content'],
  'openai-chat': ['choices'],
  'openai-responses': ['output'],
  gemini: ['candidates', 'promptFeedback'],
};

export interface StreamTranslator {
  /** Bytes for the client; may be empty. Throws `UPSTREAM_PROTOCOL` on an event without bound. */
  push(chunk: Uint8Array): Uint8Array;
  /**
   * The upstream's stream is over. A clean end comes out only when the upstream ended as its dialect ends; else an error event.
   * @param failure set when the connection broke
   */
  end(failure?: string): Uint8Array;
  readonly isComplete: boolean;
  readonly usage: Usage | undefined;
  readonly upstreamError: string | undefined;
}

export function createStreamTranslator({ client, upstream, answer }: Translation): StreamTranslator {
  const decoder = new SseDecoder();
  const reader = dialectFunctions[upstream].reader(answer.newId);
  const writer = dialectFunctions[client].writer(answer);
  const pruner = new Pruner();
  const sequencer = new Sequencer();
  const state: { isStarted: boolean; isOver: boolean; isComplete: boolean; usage: Usage | undefined; upstreamError: string | undefined } = {
    isStarted: false,
    isOver: false,
    isComplete: false,
    usage: undefined,
    upstreamError: undefined,
  };

  const write = (step: StreamStep): string => {
    if (state.isOver) return '';
    let before = '';
    if (step.kind === 'start' || !state.isStarted) {
      if (step.kind === 'start' && state.isStarted) return '';
      state.isStarted = true;
      // A failure before anything else is told as such, without pretending that an answer began.
      if (step.kind !== 'start' && step.kind !== 'fail') before = writer.write({ kind: 'start', id: '' });
    }
    if (step.kind === 'fail') state.upstreamError = step.message;
    if (step.kind === 'end') {
      state.usage = step.usage;
      state.isComplete = true;
    }
    state.isOver = step.kind === 'end' || step.kind === 'fail';
    return before + writer.write(step);
  };
  /** A signature goes out with the words that it is for. */
  let thinking = '';
  const withText = (step: StreamStep): StreamStep => {
    if (step.kind === 'open') thinking = '';
    if (step.kind === 'more') thinking += step.text;
    return step.kind === 'sign' ? { ...step, signature: { ...step.signature, text: thinking } } : step;
  };
  const pass = (steps: readonly StreamStep[]): string =>
    steps
      .flatMap((step) => pruner.push(step))
      .flatMap((step) => sequencer.push(step))
      .map((step) => write(withText(step)))
      .join('');

  return {
    push: (chunk) =>
      Buffer.from(
        decoder
          .push(chunk)
          .map((event) => pass(reader.read(event)))
          .join(''),
      ),
    end(failure) {
      const last = failure === undefined ? pass(reader.finish()) : '';
      if (state.isOver) return Buffer.from(last);
      const message = failure ?? 'the upstream ended its stream before the answer was complete';
      return Buffer.from(last + write({ kind: 'fail', message }));
    },
    get isComplete() {
      return state.isComplete;
    },
    get usage() {
      return state.usage;
    },
    get upstreamError() {
      return state.upstreamError;
    },
  };
}
