// The answer to `GET /v1/models` and its like: the names that the configuration offers, in the shape of the caller's dialect.
import type { Dialect } from '../core/index.ts';
import { encode, type Json } from './json.ts';
import { jsonHeaders, type WireReply } from './refusal.ts';

/** The lists want a date of birth; ours have none. */
const createdAt = '1970-01-01T00:00:00Z';

export function modelList(dialect: Dialect, names: readonly string[]): WireReply {
  const body = encode(listBody(dialect, names));
  return { status: 200, rawHeaders: jsonHeaders(body), body };
}

function listBody(dialect: Dialect, names: readonly string[]): Json {
  switch (dialect) {
    case 'anthropic-messages': {
      const data = names.map((id) => ({ type: 'model', id, display_name: id, created_at: createdAt }));
      return { data, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null };
    }
    case 'gemini':
      return {
        models: names.map((id) => ({
          name: `models/${id}`,
          displayName: id,
          supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
        })),
      };
    default:
      // Codex reads its own catalogue from `models`; an empty one makes it keep the one it was built with.
      return { object: 'list', data: names.map((id) => ({ id, object: 'model', created: 0, owned_by: 'intramur' })), models: [] };
  }
}
