// Is this HTTP request a model call, and in which dialect? Decided by method and path alone; "unknown" is an answer. The paths are
// those that the vendors publish for Anthropic Messages, OpenAI Chat Completions and Responses, and Gemini generateContent.
import { type Dialect, type ExchangeHead, headerOf } from '../core/index.ts';

/** How a Gemini stream is framed: `alt=sse` asks for events, without it one JSON array comes. */
export type StreamForm = 'sse' | 'json-array';

interface CallBase {
  readonly dialect: Dialect;
  /** Path as it was written, without the query. */
  readonly path: string;
}

export type Call =
  | (CallBase & {
      readonly kind: 'invoke';
      /** Gemini names the model and streaming in the path. */
      readonly modelInPath?: string;
      readonly streamInPath?: boolean;
      readonly streamForm: StreamForm;
    })
  | (CallBase & { readonly kind: 'count-tokens'; readonly modelInPath?: string })
  | (CallBase & { readonly kind: 'models' })
  /** Claude Code sends `HEAD /` to see whether anybody is there. */
  | (CallBase & { readonly kind: 'probe' })
  /** A WebSocket upgrade of /v1/responses, answered 426 so that the client falls back to HTTP. */
  | (CallBase & { readonly kind: 'websocket' });

export type Detected = Call | { readonly kind: 'unknown' };

const unknown: Detected = { kind: 'unknown' };

/**
 * @param at `gateway`: our own address, the exact paths of its contract. `vendor`: a host that is known to serve models, where
 *   the same endings stand under prefixes (`/backend-api/codex/responses`, `/compatible-mode/v1/chat/completions`).
 */
export function detectCall(head: Pick<ExchangeHead, 'method' | 'target' | 'rawHeaders'>, at: 'gateway' | 'vendor' = 'gateway'): Detected {
  const { method, target, rawHeaders } = head;
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (!path.startsWith('/')) return unknown;
  if (path === '/') return method === 'HEAD' ? { kind: 'probe', dialect: 'anthropic-messages', path } : unknown;
  if (/[/\\]\.{1,2}(?:[/\\]|$)|[\\#]/.test(path)) return unknown;

  const suffix = at === 'gateway' ? path : vendorSuffix(path);
  switch (`${method} ${suffix}`) {
    case 'POST /v1/messages':
      return { kind: 'invoke', dialect: 'anthropic-messages', path, streamForm: 'sse' };
    case 'POST /v1/messages/count_tokens':
      return { kind: 'count-tokens', dialect: 'anthropic-messages', path };
    case 'POST /v1/chat/completions':
      return { kind: 'invoke', dialect: 'openai-chat', path, streamForm: 'sse' };
    case 'POST /v1/responses':
      return { kind: 'invoke', dialect: 'openai-responses', path, streamForm: 'sse' };
    case 'GET /v1/responses':
      return isUpgrade(rawHeaders) ? { kind: 'websocket', dialect: 'openai-responses', path } : unknown;
    case 'GET /v1/models':
      return {
        kind: 'models',
        dialect: headerOf(rawHeaders, 'anthropic-version') === undefined ? 'openai-chat' : 'anthropic-messages',
        path,
      };
    case 'GET /v1beta/models':
      return { kind: 'models', dialect: 'gemini', path };
    default:
      return method === 'POST' ? detectGemini(path, suffix, query < 0 ? '' : target.slice(query + 1)) : unknown;
  }
}

/** The path that the gateway would use for what a vendor serves under `path`; the path itself when there is none. */
function vendorSuffix(path: string): string {
  if (/\/v1\/messages(?:\/count_tokens)?$/.test(path)) return path.slice(path.lastIndexOf('/v1/messages'));
  if (path.endsWith('/chat/completions')) return '/v1/chat/completions';
  if (path.endsWith('/responses')) return '/v1/responses';
  const gemini = /\/models\/[^/]+:[A-Za-z]+$/.exec(path);
  if (gemini) return `/v1beta${gemini[0]}`;
  if (path.endsWith('/v1beta/models')) return '/v1beta/models';
  return path.endsWith('/models') ? '/v1/models' : path;
}

const geminiPath = /^\/v1beta\/models\/([^/]+):(generateContent|streamGenerateContent|countTokens)$/;

function detectGemini(path: string, suffix: string, query: string): Detected {
  const [, segment, verb] = geminiPath.exec(suffix) ?? [];
  const model = segment === undefined ? undefined : decodeSegment(segment);
  if (model === undefined) return unknown;
  const base = { dialect: 'gemini', path, modelInPath: model } as const;
  if (verb === 'countTokens') return { kind: 'count-tokens', ...base };
  const alt = new URLSearchParams(query).getAll('alt');
  // Other forms (`proto`) are not JSON, so nobody here could read them.
  if (alt.length > 1 || (alt[0] !== undefined && alt[0] !== 'sse' && alt[0] !== 'json')) return unknown;
  return { kind: 'invoke', ...base, streamInPath: verb === 'streamGenerateContent', streamForm: alt[0] === 'sse' ? 'sse' : 'json-array' };
}

/** A model name out of the path. A name that climbs the path when an upstream decodes it is none. */
function decodeSegment(segment: string): string | undefined {
  try {
    const model = decodeURIComponent(segment);
    return model.split('/').some((part) => part === '' || part === '.' || part === '..') ? undefined : model;
  } catch {
    return undefined;
  }
}

function isUpgrade(rawHeaders: readonly string[]): boolean {
  return headerOf(rawHeaders, 'upgrade')?.toLowerCase() === 'websocket' || headerOf(rawHeaders, 'sec-websocket-key') !== undefined;
}
