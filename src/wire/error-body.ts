// Error bodies of the four dialects, and the way from one to another. Status, type and code after the vendors' error pages.
import type { Dialect } from '../core/index.ts';
import { encode, isObject, type Json, listOf, objectOf, objectsOf, parseLenient, stringOf } from './json.ts';

/** The native body for an HTTP status. `code` is used where the dialect has one. */
export function errorBody(dialect: Dialect, status: number, message: string, code: string | null = null): Json {
  const row = rowOf(status);
  switch (dialect) {
    case 'anthropic-messages':
      return { type: 'error', error: { type: row.anthropic, message } };
    case 'gemini':
      return { error: { code: status, message, status: row.gemini } };
    default:
      return { error: { message, type: row.openai, param: null, code: code ?? row.code } };
  }
}

interface Row {
  readonly status: number;
  readonly anthropic: string;
  readonly openai: string;
  readonly code: string | null;
  readonly gemini: string;
}

const invalid = { anthropic: 'invalid_request_error', openai: 'invalid_request_error', code: null, gemini: 'INVALID_ARGUMENT' } as const;
const broken = { anthropic: 'api_error', openai: 'server_error', code: null, gemini: 'INTERNAL' } as const;
const rows: readonly Row[] = [
  { status: 401, anthropic: 'authentication_error', openai: 'invalid_request_error', code: 'invalid_api_key', gemini: 'UNAUTHENTICATED' },
  { status: 403, anthropic: 'permission_error', openai: 'permission_error', code: null, gemini: 'PERMISSION_DENIED' },
  { status: 404, anthropic: 'not_found_error', openai: 'invalid_request_error', code: 'model_not_found', gemini: 'NOT_FOUND' },
  {
    status: 413,
    anthropic: 'request_too_large',
    openai: 'invalid_request_error',
    code: 'context_length_exceeded',
    gemini: 'INVALID_ARGUMENT',
  },
  { status: 429, anthropic: 'rate_limit_error', openai: 'rate_limit_error', code: 'rate_limit_exceeded', gemini: 'RESOURCE_EXHAUSTED' },
  // Claude Code takes `overloaded_error` for its own vendor's 529, whatever the status, and gives up after three.
  { status: 503, anthropic: 'api_error', openai: 'server_error', code: null, gemini: 'UNAVAILABLE' },
  { status: 504, anthropic: 'api_error', openai: 'server_error', code: null, gemini: 'DEADLINE_EXCEEDED' },
  { status: 529, anthropic: 'overloaded_error', openai: 'server_error', code: null, gemini: 'UNAVAILABLE' },
];

function rowOf(status: number): Row {
  return rows.find((row) => row.status === status) ?? { status, ...(status >= 500 ? broken : invalid) };
}

export interface MappedError {
  readonly status: number;
  readonly body: Uint8Array;
  /** Seconds, where the upstream's body says when to come back and no header does. */
  readonly retryAfter?: string;
}

/**
 * An upstream's error in the client's dialect. Within one dialect a body in its form stays as it is; what a proxy put there does not.
 * @param retryAfter the upstream's own header
 */
export function mapError(from: Dialect, to: Dialect, status: number, body: Uint8Array, retryAfter?: string): MappedError {
  const isSame = isSameShape(from, to);
  if (isSame && isErrorForm(to, body)) return { status, body };
  const message = errorMessage(body) ?? `the upstream answered with status ${status}`;
  const isTooLong = (status === 400 || status === 413) && tooLong.test(message);
  // 529 is Anthropic's own word for overload; every client is patient with a 503.
  const mapped = isSame ? status : isTooLong ? 400 : status === 529 ? 503 : status;
  const native = errorBody(to, mapped, isTooLong ? tooLongMessage(to, message) : message, isTooLong ? 'context_length_exceeded' : null);
  const stated = from === 'gemini' && retryAfter === undefined ? retryDelayIn(body) : undefined;
  return { status: mapped, body: encode(withRetryInfo(to, native, retryAfter)), ...(stated !== undefined && { retryAfter: stated }) };
}

/** Google says when to come back in the body; its clients look for it there, all others in `retry-after`. */
const retryInfo = 'type.googleapis.com/google.rpc.RetryInfo';

function retryDelayIn(body: Uint8Array): string | undefined {
  const parsed = parseLenient(textOf(body));
  const error = objectOf(objectOf(Array.isArray(parsed) ? listOf(parsed)[0] : parsed)?.['error']);
  const detail = objectsOf(error?.['details']).find((one) => one['@type'] === retryInfo);
  const [, seconds] = /^(\d{1,6}(?:\.\d+)?)s$/.exec(stringOf(detail?.['retryDelay']) ?? '') ?? [];
  return seconds === undefined ? undefined : String(Math.ceil(Number(seconds)));
}

function withRetryInfo(to: Dialect, body: Json, retryAfter: string | undefined): Json {
  if (to !== 'gemini' || retryAfter === undefined || !/^\d{1,6}$/.test(retryAfter)) return body;
  return { error: { ...objectOf(objectOf(body)?.['error']), details: [{ '@type': retryInfo, retryDelay: `${retryAfter}s` }] } };
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 1 << 20)).toString();
}

function isSameShape(from: Dialect, to: Dialect): boolean {
  return from === to || (from.startsWith('openai-') && to.startsWith('openai-'));
}

/**
 * An object that clients of the dialect read, or of which we would not tell them more. In Gemini's dialect it may stand in a list, as the
 * pieces of a stream do.
 */
function isErrorForm(dialect: Dialect, body: Uint8Array): boolean {
  const parsed = parseLenient(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  const one = dialect === 'gemini' && Array.isArray(parsed) ? listOf(parsed)[0] : parsed;
  return isObject(one) && (isObject(one['error']) || messageIn(one) === undefined);
}

const tooLong =
  /context[_ ](?:length|window|size)|prompt is too long|maximum (?:context|prompt|number of tokens)|input token count|too many (?:input )?tokens|`max_new_tokens` must be/i;

/** A message on its way into a stream that has begun, in the words that the client looks for. */
export function messageTo(to: Dialect, message: string): { readonly message: string; readonly isTooLong: boolean } {
  const isTooLong = tooLong.test(message);
  return { message: isTooLong ? tooLongMessage(to, message) : message, isTooLong };
}

/**
 * Claude Code compacts its history when it reads that the prompt is too long, and asks for less when prompt and answer together are: it
 * asks for more than many a model inside holds, and compacting would not help there.
 */
function tooLongMessage(to: Dialect, message: string): string {
  if (to !== 'anthropic-messages' || /prompt is too long|exceed context limit/i.test(message)) return message;
  const [prompt, answer, limit] = [promptTokens, answerTokens, limitTokens].map((pattern) => pattern.exec(message)?.slice(1).find(Boolean));
  if (prompt && answer && limit && Number(prompt) < Number(limit))
    return `input length and \`max_tokens\` exceed context limit: ${prompt} + ${answer} > ${limit}, decrease input length or \`max_tokens\` and try again`;
  return `prompt is too long: ${prompt && limit ? `${prompt} tokens > ${limit} maximum` : message}`;
}

/** How vLLM, SGLang, TGI, llama.cpp and OpenAI name the three. */
const promptTokens = /(\d+)(?: tokens)? (?:in the messages|from the input|(?:`inputs`|input) tokens)|(?:request|input) \((\d+) tokens\)/i;
const answerTokens = /too large: (\d+)|(\d+)(?: tokens)? (?:in the completion|for the completion|`max_new_tokens`)/i;
const limitTokens = /(?:maximum context length|context (?:length|size)|must be)[^\d.]{0,8}(\d+)/i;

/** The message of an error body in any dialect, of FastAPI servers (`detail`) and of Ollama (`error` as a string). */
export function errorMessage(body: Uint8Array): string | undefined {
  const text = textOf(body).trim();
  const parsed = parseLenient(text);
  const message = parsed === undefined ? text : messageIn(Array.isArray(parsed) ? listOf(parsed)[0] : parsed);
  return message === undefined || message.trim() === '' || markup.test(message) ? undefined : bounded(message);
}

/** A page of a proxy or load balancer is no message. Words in angle brackets may well be. */
const markup = /<(?:!doctype|\?xml|(?:html|head|body|title|meta|style|script|center|div|h[1-6]|p|pre|hr|br|a)\b)/i;

/** The message of a parsed error event or body. */
export function messageIn(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return undefined;
  const error = value['error'] ?? value['detail'] ?? objectOf(value['response'])?.['error'];
  return (
    stringOf(error) ?? stringOf(objectOf(error)?.['message']) ?? stringOf(value['message']) ?? (error ? JSON.stringify(error) : undefined)
  );
}

function bounded(text: string): string {
  return text.length > 4000 ? `${text.slice(0, 4000)}…` : text;
}
