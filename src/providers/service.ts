// What a model service is to the gateway: where it stands, how it takes a key, and which of its hosts and paths are model calls.
// One file per service, listed in registry.ts; no side effects on import.
import type { Dialect, Perimeter } from '../core/index.ts';

/** Host and path under which a service takes model calls from programs that dial it themselves. */
export interface ModelEndpoint {
  /** Exact name, or `*.suffix` for the names below it. `*` inside a label matches within that label. */
  readonly host: string;
  readonly path: RegExp;
  readonly dialect: Dialect;
}

/** A call as it is about to leave, after the model name was set. */
export interface Outgoing {
  readonly url: URL;
  readonly bytes: Uint8Array;
}

export interface Service {
  readonly id: string;
  readonly name: string;
  /** Where the service's own address belongs when the configuration does not say. */
  readonly perimeter: Perimeter;
  /** The usual `url` of a provider entry, by dialect. */
  readonly urls: Readonly<Partial<Record<Dialect, string>>>;
  /** Variable that usually holds the key. */
  readonly keyEnv?: string;
  readonly endpoints: readonly ModelEndpoint[];
  /** Headers that carry `key`. Some services sign the call, so they see all of it. */
  authorize(key: string, dialect: Dialect, outgoing: Outgoing, now: Date): readonly (readonly [name: string, value: string])[];
  /** Path below the provider's url where it differs from the dialect's own. */
  readonly pathOf?: (dialect: Dialect, ownPath: string) => string;
}

export function service(definition: Service): Service {
  return definition;
}

/** `Authorization: Bearer`, as most services take it. */
export const bearer: Service['authorize'] = (key) => [['authorization', `Bearer ${key}`]];

/** The header that each dialect's own vendor takes. */
export const native: Service['authorize'] = (key, dialect, outgoing, now) => {
  if (dialect === 'anthropic-messages') return [['x-api-key', key]];
  if (dialect === 'gemini') return [['x-goog-api-key', key]];
  return bearer(key, dialect, outgoing, now);
};

/** The paths of an OpenAI-compatible service below `prefix`. */
export function openAiPaths(host: string, prefix = '/v1'): readonly ModelEndpoint[] {
  const escaped = prefix.replaceAll('.', '\\.');
  return [
    { host, path: new RegExp(`^${escaped}/chat/completions$`), dialect: 'openai-chat' },
    { host, path: new RegExp(`^${escaped}/responses$`), dialect: 'openai-responses' },
  ];
}

/** The paths of an Anthropic-compatible service below `prefix`. */
export function anthropicPaths(host: string, prefix = ''): ModelEndpoint {
  return { host, path: new RegExp(`^${prefix.replaceAll('.', '\\.')}/v1/messages(?:/count_tokens)?$`), dialect: 'anthropic-messages' };
}
