// What the monitor needs to know of a call's body before anything is decided: model, streaming, session, and which tools the
// provider itself would run. Read once per call.
import { type Dialect, IntramurError } from '../core/index.ts';
import type { Call } from './detect.ts';
import { type JsonObject, objectOf, parseDocument, parseLenient, stringOf } from './json.ts';
import { type ServerTool, serverToolsOf } from './server-tools.ts';

export interface ReadCall {
  readonly model: string;
  readonly stream: boolean;
  /** A session id that the agent states inside the body. Attacker-controlled: groups calls, never loosens anything. */
  readonly sessionHint?: string;
  /** What the provider would run or fetch by itself, out of our sight. */
  readonly serverTools: readonly ServerTool[];
}

/** Calls that have a body to read. */
export type BodyCall = Extract<Call, { kind: 'invoke' | 'count-tokens' }>;

/** Throws `DIALECT_INVALID` when the body is not one that every upstream would read as we do. */
export function readCall(dialect: Dialect, call: BodyCall, body: Uint8Array): ReadCall {
  const value = parseDocument(body);
  const sessionHint = sessionHintOf(value);
  return {
    model: modelOf(call, value),
    stream: streamOf(call, value),
    ...(sessionHint !== undefined && { sessionHint }),
    serverTools: serverToolsOf(dialect, value),
  };
}

const modelName = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,256}$/u;

function modelOf(call: BodyCall, body: JsonObject): string {
  const stated = body['model'];
  const model = call.modelInPath ?? stated;
  if (typeof model !== 'string' || !modelName.test(model)) throw new IntramurError('DIALECT_INVALID', 'the call names no model');
  // A Gemini body may repeat the model of the path; two different ones would leave the choice to the upstream.
  if (call.modelInPath !== undefined && stated !== undefined && stated !== model && stated !== `models/${model}`)
    throw new IntramurError('DIALECT_INVALID', 'path and body name different models');
  return model;
}

function streamOf(call: BodyCall, body: JsonObject): boolean {
  if (call.kind === 'count-tokens') return false;
  if (call.streamInPath !== undefined) return call.streamInPath;
  const stream = body['stream'] ?? false;
  if (typeof stream !== 'boolean') throw new IntramurError('DIALECT_INVALID', '"stream" is neither true nor false');
  return stream;
}

/** Claude Code puts a JSON text into `metadata.user_id`; Codex sends its thread id as the cache key. */
function sessionHintOf(body: JsonObject): string | undefined {
  const userId = stringOf(objectOf(body['metadata'])?.['user_id']) ?? '';
  const inUserId = userId.startsWith('{')
    ? stringOf(objectOf(parseLenient(userId))?.['session_id'])
    : /_session_([0-9A-Za-z-]+)$/.exec(userId)?.[1];
  const hint = inUserId ?? stringOf(body['prompt_cache_key']);
  return hint !== undefined && /^[\w.:-]{1,128}$/.test(hint) ? hint : undefined;
}
