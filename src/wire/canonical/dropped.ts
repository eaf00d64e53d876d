// What a translation could not carry, named as the client wrote it, so that nobody takes a translated call for the same call.
import type { Dialect } from '../../core/index.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Settings } from './request.ts';

/** True for values that ask for nothing: leaving them out changes nothing. */
function isIdle(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Fields of `object` that are not in `known` and ask for something. `known` holds what is carried and what has no meaning elsewhere. */
export function unknownFields(object: JsonObject | undefined, known: ReadonlySet<string>, prefix = ''): string[] {
  return Object.keys(object ?? {})
    .filter((key) => !known.has(key) && !isIdle(object?.[key]))
    .map((key) => prefix + headerSafe(key));
}

/** Field names go into a header and the ledger; they are the client's words. */
export function headerSafe(text: string): string {
  return text.replace(/[^\w.$-]/g, '?').slice(0, 64);
}

/** How each dialect calls a setting. */
const names: Readonly<Record<Dialect, Readonly<Partial<Record<keyof Settings, string>>>>> = {
  'anthropic-messages': {
    maxTokens: 'max_tokens',
    topP: 'top_p',
    topK: 'top_k',
    stop: 'stop_sequences',
    parallelTools: 'tool_choice.disable_parallel_tool_use',
    toolChoice: 'tool_choice',
    reasoning: 'thinking',
    answer: 'output_config.format',
  },
  'openai-chat': {
    maxTokens: 'max_completion_tokens',
    topP: 'top_p',
    topK: 'top_k',
    frequencyPenalty: 'frequency_penalty',
    presencePenalty: 'presence_penalty',
    parallelTools: 'parallel_tool_calls',
    toolChoice: 'tool_choice',
    reasoning: 'reasoning_effort',
    answer: 'response_format',
  },
  'openai-responses': {
    maxTokens: 'max_output_tokens',
    topP: 'top_p',
    parallelTools: 'parallel_tool_calls',
    toolChoice: 'tool_choice',
    verbosity: 'text.verbosity',
    answer: 'text.format',
  },
  gemini: {
    maxTokens: 'generationConfig.maxOutputTokens',
    temperature: 'generationConfig.temperature',
    topP: 'generationConfig.topP',
    topK: 'generationConfig.topK',
    seed: 'generationConfig.seed',
    frequencyPenalty: 'generationConfig.frequencyPenalty',
    presencePenalty: 'generationConfig.presencePenalty',
    stop: 'generationConfig.stopSequences',
    toolChoice: 'toolConfig',
    reasoning: 'generationConfig.thinkingConfig',
    answer: 'generationConfig.responseMimeType',
  },
};

/** The client's own name of a setting. */
export function fieldName(client: Dialect, setting: keyof Settings): string {
  return names[client][setting] ?? setting;
}

/** Those of `unsupported` that the request uses. A penalty of nothing is none. */
export function droppedSettings(settings: Settings, unsupported: readonly (keyof Settings)[]): (keyof Settings)[] {
  return unsupported.filter((key) => settings[key] !== undefined && !(key.endsWith('Penalty') && settings[key] === 0));
}
