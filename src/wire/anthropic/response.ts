// Anthropic Messages answers, to and from the canonical form.
import { inputObject } from '../canonical/parts.ts';
import { type AnswerContext, type AnswerPart, bareId, type CanonicalResponse, noUsage, type Stop, stopFor } from '../canonical/response.ts';
import { unwrapSignature, wrapSignature } from '../canonical/signature.ts';
import { callId } from '../canonical/tool-names.ts';
import { type Json, type JsonObject, objectsOf, stringOf } from '../json.ts';
import { type Usage, usageOf } from '../usage.ts';

const stops: Readonly<Record<string, Stop>> = {
  end_turn: 'end',
  tool_use: 'tool',
  max_tokens: 'length',
  stop_sequence: 'stop-sequence',
  refusal: 'filtered',
  model_context_window_exceeded: 'context',
  pause_turn: 'pause',
};

export function readStop(reason: Json | undefined): Stop {
  return stops[stringOf(reason) ?? ''] ?? 'end';
}

export function writeStop(stop: Stop): string {
  return Object.entries(stops).find(([, meaning]) => meaning === stop)?.[0] ?? 'end_turn';
}

export function writeUsage({ inputTokens, outputTokens, cachedTokens, cacheWriteTokens = 0 }: Usage): JsonObject {
  return {
    input_tokens: Math.max(0, inputTokens - cachedTokens - cacheWriteTokens),
    output_tokens: outputTokens,
    cache_read_input_tokens: cachedTokens,
    cache_creation_input_tokens: cacheWriteTokens,
  };
}

export function readResponse(body: JsonObject): CanonicalResponse {
  const parts = objectsOf(body['content']).flatMap(readBlock);
  const stopSequence = stringOf(body['stop_sequence']);
  return {
    id: stringOf(body['id']) ?? '',
    parts,
    stop: stopFor(
      readStop(body['stop_reason']),
      parts.some((part) => part.kind === 'tool-call'),
    ),
    ...(stopSequence !== undefined && { stopSequence }),
    usage: usageOf('anthropic-messages', body) ?? noUsage,
  };
}

function readBlock(block: JsonObject): AnswerPart[] {
  switch (block['type']) {
    case 'text':
      return block['text'] === '' ? [] : [{ kind: 'text', text: stringOf(block['text']) ?? '' }];
    case 'thinking':
      return [
        {
          kind: 'thinking',
          text: stringOf(block['thinking']) ?? '',
          signature: unwrapSignature(stringOf(block['signature']) ?? '', 'anthropic-messages'),
        },
      ];
    case 'redacted_thinking':
      return [
        {
          kind: 'thinking',
          text: '',
          signature: { dialect: 'anthropic-messages', value: stringOf(block['data']) ?? '', isRedacted: true },
        },
      ];
    case 'tool_use':
      return [
        {
          kind: 'tool-call',
          id: callId(stringOf(block['id']) ?? ''),
          name: stringOf(block['name']) ?? '',
          input: JSON.stringify(block['input'] ?? {}),
        },
      ];
    default:
      return [];
  }
}

export function writeResponse(response: CanonicalResponse, context: AnswerContext): JsonObject {
  return {
    id: `msg_${bareId(response.id, context)}`,
    type: 'message',
    role: 'assistant',
    model: context.model,
    content: response.parts.map((part) => writePart(part, context)),
    stop_reason: writeStop(response.stop),
    stop_sequence: response.stopSequence ?? null,
    usage: writeUsage(response.usage),
  };
}

function writePart(part: AnswerPart, context: AnswerContext): JsonObject {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'thinking':
      return {
        type: 'thinking',
        thinking: part.text,
        signature: part.signature ? wrapSignature(part.signature, 'anthropic-messages') : '',
      };
    case 'tool-call':
      return { type: 'tool_use', id: part.id, name: context.toolOf(part.name).name, input: inputObject(part.input) };
  }
}
