// From one dialect to another: read into the canonical form, write out of it. The pairs follow from the table of dialects.
import { randomUUID } from 'node:crypto';
import { type Dialect, IntramurError } from '../core/index.ts';
import { anthropicMessages } from './anthropic/dialect.ts';
import type { DialectFunctions } from './canonical/dialect.ts';
import { fieldName } from './canonical/dropped.ts';
import type { CanonicalRequest, Tool } from './canonical/request.ts';
import type { AnswerContext, CanonicalResponse } from './canonical/response.ts';
import { CallIds, ToolNames } from './canonical/tool-names.ts';
import { gemini } from './gemini/dialect.ts';
import { field } from './gemini/field.ts';
import { encode, objectOf, parseDocument, parseLenient } from './json.ts';
import { openAiChat } from './openai-chat/dialect.ts';
import { openAiResponses } from './openai-responses/dialect.ts';
import type { BodyCall } from './read-call.ts';
import type { Usage } from './usage.ts';

export const dialectFunctions: Readonly<Record<Dialect, DialectFunctions>> = {
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

/** The names go into a header. A client that sends more of them means harm or nothing. */
const maxLossy = 32;

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
  const written = dialectFunctions[to].writeRequest({ ...request, model, tools: onceEach(request.tools) });
  return {
    body: encode(written.body),
    target: dialectFunctions[to].path(model, request.stream),
    lossy: [...new Set([...request.dropped, ...written.dropped.map((setting) => fieldName(from, setting))])].slice(0, maxLossy),
    translation: {
      client: from,
      upstream: to,
      answer: {
        model: request.model,
        toolOf: (name) => names.clientTool(name),
        mark: newId()
          .replace(/^call_/, '')
          .slice(0, 8),
        newId,
        createdAt: Math.floor(now() / 1000),
        includeUsage: objectOf(source['stream_options'])?.['include_usage'] === true,
        form: call.streamForm,
      },
    },
  };
}

/** Codex hands tools in again during a conversation; two of one name are an error to most servers. The last one counts. */
function onceEach(tools: readonly Tool[]): readonly Tool[] {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return byName.size === tools.length ? tools : [...byName.values()];
}

/** The canonical form of a call's body. Gemini's count calls may hold the whole request one level deeper. */
export function readCanonical(call: BodyCall, body: Uint8Array): CanonicalRequest {
  const source = parseDocument(body);
  const inner = call.dialect === 'gemini' ? objectOf(field(source, 'generateContentRequest')) : undefined;
  return dialectFunctions[call.dialect].readRequest(inner ?? source, new ToolNames(), call);
}

/** A whole answer of the upstream in the client's dialect. Throws `UPSTREAM_PROTOCOL` when it is none. */
export function translateResponse(translation: Translation, body: Uint8Array): { readonly body: Uint8Array; readonly usage: Usage } {
  const response = readAnswer(translation, body);
  // A signature goes out with the words that it is for.
  const { client, answer } = translation;
  const ids = new CallIds(answer.mark);
  const parts = response.parts.map((part) => {
    if (part.kind === 'tool-call') return { ...part, id: ids.next(part.id) };
    return part.kind === 'thinking' && part.signature ? { ...part, signature: { ...part.signature, text: part.text } } : part;
  });
  return { body: encode(dialectFunctions[client].writeResponse({ ...response, parts }, answer)), usage: response.usage };
}

export function readAnswer({ upstream, answer }: Translation, body: Uint8Array): CanonicalResponse {
  const parsed = objectOf(parseLenient(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()));
  if (!parsed) throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream answered with something that is not a JSON object');
  if (!answerFields[upstream].some((name) => parsed[name] !== undefined))
    throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream answered with something that is not an answer in its dialect');
  return dialectFunctions[upstream].readResponse(parsed, answer.newId);
}

const answerFields: Readonly<Record<Dialect, readonly string[]>> = {
  'anthropic-messages': ['content'],
  'openai-chat': ['choices'],
  'openai-responses': ['output'],
  gemini: ['candidates', 'promptFeedback'],
};
