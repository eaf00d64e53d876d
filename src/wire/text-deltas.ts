// Which strings of a stream's event carry on a text that began in an earlier one. What a model writes is cut anywhere, so a word can
// begin in one event and end in the next.
import { assertNever, type Dialect } from '../core/index.ts';
import { type Json, type JsonObject, numberOf, objectOf, objectsOf, stringOf } from './json.ts';
import type { JsonPath } from './json-strings.ts';

export interface TextDelta {
  readonly path: JsonPath;
  /** Deltas of one channel, put together, are one text. */
  readonly channel: string;
  /** True when the text is itself JSON: the arguments of a tool call. */
  readonly isJson: boolean;
}

export interface EventTexts {
  readonly deltas: readonly TextDelta[];
  /** True when no text goes on behind this event. */
  readonly isLast: boolean;
  /** True for events that say nothing: signs of life. */
  readonly isIdle: boolean;
}

export function textDeltasIn(dialect: Dialect, event: Json): EventTexts {
  const body = objectOf(event);
  if (!body) return over;
  switch (dialect) {
    case 'anthropic-messages':
      return anthropic(body);
    case 'openai-chat':
      return chat(body);
    case 'openai-responses':
      return responses(body);
    case 'gemini':
      return gemini(body);
    default:
      return assertNever(dialect);
  }
}

const over: EventTexts = { deltas: [], isLast: true, isIdle: false };

function anthropic(body: JsonObject): EventTexts {
  if (body['type'] === 'ping') return { deltas: [], isLast: false, isIdle: true };
  if (body['type'] !== 'content_block_delta') return over;
  const delta = objectOf(body['delta']);
  const deltas = ['text', 'thinking', 'partial_json']
    .filter((name) => typeof delta?.[name] === 'string')
    .map((name) => ({ path: ['delta', name], channel: `${numberOf(body['index'])} ${name}`, isJson: name === 'partial_json' }));
  return { deltas, isLast: false, isIdle: false };
}

function chat(body: JsonObject): EventTexts {
  const choices = objectsOf(body['choices']);
  const deltas = choices.flatMap((choice, at): TextDelta[] => {
    const delta = objectOf(choice['delta']);
    const which = numberOf(choice['index']) ?? at;
    const plain = ['content', 'reasoning_content', 'reasoning', 'refusal']
      .filter((name) => typeof delta?.[name] === 'string')
      .map((name) => ({ path: ['choices', at, 'delta', name], channel: `${which} ${name}`, isJson: false }));
    const calls = objectsOf(delta?.['tool_calls']).flatMap((call, n): TextDelta[] => {
      const place = ['choices', at, 'delta', 'tool_calls', n];
      const channel = `${which} call ${numberOf(call['index']) ?? n}`;
      if (typeof objectOf(call['function'])?.['arguments'] === 'string')
        return [{ path: [...place, 'function', 'arguments'], channel, isJson: true }];
      if (typeof objectOf(call['custom'])?.['input'] === 'string') return [{ path: [...place, 'custom', 'input'], channel, isJson: false }];
      return [];
    });
    return [...plain, ...calls];
  });
  const isLast = choices.length === 0 || choices.some((choice) => typeof choice['finish_reason'] === 'string');
  return { deltas, isLast, isIdle: false };
}

function responses(body: JsonObject): EventTexts {
  const type = stringOf(body['type']) ?? '';
  if (!type.endsWith('.delta') || typeof body['delta'] !== 'string') return over;
  const where = ['item_id', 'output_index', 'content_index', 'summary_index'].map((name) => stringOf(body[name]) ?? numberOf(body[name]));
  const isJson = type.includes('function_call_arguments') || type.includes('mcp_call_arguments');
  return { deltas: [{ path: ['delta'], channel: [type, ...where].join(' '), isJson }], isLast: false, isIdle: false };
}

function gemini(body: JsonObject): EventTexts {
  const candidates = objectsOf(body['candidates']);
  const deltas = candidates.flatMap((candidate, at) =>
    objectsOf(objectOf(candidate['content'])?.['parts']).flatMap((part, n): TextDelta[] =>
      typeof part['text'] === 'string'
        ? [
            {
              path: ['candidates', at, 'content', 'parts', n, 'text'],
              channel: `${numberOf(candidate['index']) ?? at} ${part['thought'] === true ? 'thought' : 'text'}`,
              isJson: false,
            },
          ]
        : [],
    ),
  );
  const isLast = candidates.length === 0 || candidates.some((candidate) => candidate['finishReason'] !== undefined);
  return { deltas, isLast, isIdle: false };
}
