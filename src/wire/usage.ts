// Tokens of one call, counted alike for all dialects. The vendors differ: Anthropic's input excludes cached tokens and the
// others' includes them; Gemini's output excludes thinking and the others' includes it.
import type { Dialect } from '../core/index.ts';
import { type Json, type JsonObject, numberOf, objectOf, parseLenient } from './json.ts';

export interface Usage {
  /** All tokens of the prompt, cached ones included. */
  readonly inputTokens: number;
  /** All tokens that were generated, thinking included. */
  readonly outputTokens: number;
  /** The part of the input that was read from a cache. */
  readonly cachedTokens: number;
  /** The part of the input that was written to a cache (Anthropic tells). */
  readonly cacheWriteTokens?: number;
  /** The part of the output that was thinking, where it is told. */
  readonly reasoningTokens?: number;
}

/** What a whole (not streamed) response states; `undefined` when it is not JSON. */
export function readWhole(dialect: Dialect, bytes: Uint8Array): { readonly usage: Usage | undefined } | undefined {
  const response = parseLenient(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  return response === undefined ? undefined : { usage: usageOf(dialect, response) };
}

/** Usage of a response that is already parsed. */
export function usageOf(dialect: Dialect, response: Json | undefined): Usage | undefined {
  const body = objectOf(response);
  const usage = objectOf(dialect === 'gemini' ? body?.['usageMetadata'] : body?.['usage']);
  return usage && readers[dialect](usage);
}

/** Usage after a `message_delta` of Anthropic, which repeats only the counts that changed. */
export function mergeAnthropicUsage(start: Usage | undefined, delta: JsonObject): Usage | undefined {
  const stated = usageOf('anthropic-messages', delta);
  if (!stated || !start) return stated ?? start;
  return stated.inputTokens > 0 ? stated : { ...start, outputTokens: stated.outputTokens };
}

function count(value: Json | undefined): number {
  const n = numberOf(value) ?? 0;
  return Number.isFinite(n) && n > 0 ? Math.floor(n) : 0;
}

const readers: Readonly<Record<Dialect, (usage: JsonObject) => Usage>> = {
  'anthropic-messages': (usage) => {
    const cachedTokens = count(usage['cache_read_input_tokens']);
    const cacheWriteTokens = count(usage['cache_creation_input_tokens']);
    return {
      inputTokens: count(usage['input_tokens']) + cachedTokens + cacheWriteTokens,
      outputTokens: count(usage['output_tokens']),
      cachedTokens,
      ...(cacheWriteTokens > 0 && { cacheWriteTokens }),
    };
  },
  'openai-chat': (usage) => openAi(usage, 'prompt_tokens', 'completion_tokens'),
  'openai-responses': (usage) => openAi(usage, 'input_tokens', 'output_tokens'),
  gemini: (usage) => {
    const reasoningTokens = count(usage['thoughtsTokenCount']);
    return {
      inputTokens: count(usage['promptTokenCount']) + count(usage['toolUsePromptTokenCount']),
      outputTokens: count(usage['candidatesTokenCount']) + reasoningTokens,
      cachedTokens: count(usage['cachedContentTokenCount']),
      ...(reasoningTokens > 0 && { reasoningTokens }),
    };
  },
};

function openAi(usage: JsonObject, input: string, output: string): Usage {
  const reasoningTokens = count(objectOf(usage[`${output}_details`])?.['reasoning_tokens']);
  // DeepSeek and Moonshot have names of their own for it.
  const cached = objectOf(usage[`${input}_details`])?.['cached_tokens'] ?? usage['prompt_cache_hit_tokens'] ?? usage['cached_tokens'];
  return {
    inputTokens: count(usage[input]),
    outputTokens: count(usage[output]),
    cachedTokens: count(cached),
    ...(reasoningTokens > 0 && { reasoningTokens }),
  };
}
