// OpenAI Chat Completions answers, to and from the canonical form.
import { IntramurError } from '../../core/index.ts';
import { type AnswerContext, type AnswerPart, bareId, type CanonicalResponse, noUsage, type Stop, stopFor } from '../canonical/response.ts';
import { callId, customInput, customText } from '../canonical/tool-names.ts';
import { messageIn } from '../error-body.ts';
import { type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../json.ts';
import { type Usage, usageOf } from '../usage.ts';

const stops: Readonly<Record<string, Stop>> = {
  stop: 'end',
  tool_calls: 'tool',
  function_call: 'tool',
  length: 'length',
  content_filter: 'filtered',
};

export function readStop(reason: Json | undefined): Stop {
  return stops[stringOf(reason) ?? ''] ?? 'end';
}

export function writeStop(stop: Stop): string {
  return {
    end: 'stop',
    tool: 'tool_calls',
    length: 'length',
    'stop-sequence': 'stop',
    filtered: 'content_filter',
    context: 'length',
    pause: 'stop',
  }[stop];
}

export function writeUsage({ inputTokens, outputTokens, cachedTokens, reasoningTokens = 0 }: Usage): JsonObject {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

export function readResponse(body: JsonObject, newId: () => string): CanonicalResponse {
  const choice = objectsOf(body['choices'])[0];
  if (!choice || choice['finish_reason'] === 'error')
    throw new IntramurError('UPSTREAM_PROTOCOL', messageIn(body) ?? 'the upstream answered without a choice');
  const message = objectOf(choice?.['message']) ?? {};
  const thinking = stringOf(message['reasoning_content']) ?? stringOf(message['reasoning']);
  const content = message['content'];
  const text =
    typeof content === 'string'
      ? content
      : objectsOf(content)
          .map((part) => stringOf(part['text']) ?? '')
          .join('');
  const refusal = stringOf(message['refusal']);
  const parts: AnswerPart[] = [
    ...(thinking ? [{ kind: 'thinking', text: thinking } as const] : []),
    ...(text ? [{ kind: 'text', text } as const] : []),
    ...(refusal ? [{ kind: 'text', text: refusal } as const] : []),
    ...objectsOf(message['tool_calls']).flatMap((call) => readCall(call, newId)),
  ];
  return {
    id: stringOf(body['id']) ?? '',
    parts,
    stop: refusal
      ? 'filtered'
      : stopFor(
          readStop(choice?.['finish_reason']),
          parts.some((part) => part.kind === 'tool-call'),
        ),
    usage: usageOf('openai-chat', body) ?? noUsage,
  };
}

function readCall(call: JsonObject, newId: () => string): AnswerPart[] {
  const id = callId(stringOf(call['id']) || newId());
  const custom = objectOf(call['custom']);
  if (custom) return [{ kind: 'tool-call', id, name: stringOf(custom['name']) ?? '', input: customInput(stringOf(custom['input']) ?? '') }];
  const definition = objectOf(call['function']);
  const input = definition?.['arguments'];
  // Some servers give arguments as an object.
  return definition
    ? [{ kind: 'tool-call', id, name: stringOf(definition['name']) ?? '', input: stringOf(input) ?? JSON.stringify(input ?? {}) }]
    : [];
}

export function writeResponse(response: CanonicalResponse, context: AnswerContext): JsonObject {
  const texts = response.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  const thinking = response.parts.flatMap((part) => (part.kind === 'thinking' && part.text !== '' ? [part.text] : []));
  const calls = response.parts.flatMap((part) => (part.kind === 'tool-call' ? [writeCall(part, context)] : []));
  const message = {
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    ...(thinking.length > 0 && { reasoning_content: thinking.join('\n\n') }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return {
    id: `chatcmpl-${bareId(response.id, context)}`,
    object: 'chat.completion',
    created: context.createdAt,
    model: context.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: writeStop(response.stop) }],
    usage: writeUsage(response.usage),
  };
}

function writeCall(part: Extract<AnswerPart, { kind: 'tool-call' }>, context: AnswerContext): JsonObject {
  const { name, isCustom } = context.toolOf(part.name);
  if (isCustom) return { id: part.id, type: 'custom', custom: { name, input: customText(part.input) } };
  return { id: part.id, type: 'function', function: { name, arguments: part.input } };
}
