// OpenAI Responses answers, to and from the canonical form.

import { IntramurError } from '../../core/index.ts';
import type { ThinkingPart, ToolCallPart } from '../canonical/request.ts';
import { type AnswerContext, type AnswerPart, bareId, type CanonicalResponse, noUsage, type Stop, stopFor } from '../canonical/response.ts';
import { unwrapSignature, wrapSignature } from '../canonical/signature.ts';
import { callId, customInput, customText } from '../canonical/tool-names.ts';
import { messageIn } from '../error-body.ts';
import { type JsonObject, objectOf, objectsOf, stringOf } from '../json.ts';
import { type Usage, usageOf } from '../usage.ts';

export function readStop(response: JsonObject): Stop {
  if (response['status'] !== 'incomplete') return 'end';
  return objectOf(response['incomplete_details'])?.['reason'] === 'content_filter' ? 'filtered' : 'length';
}

export function writeUsage({ inputTokens, outputTokens, cachedTokens, reasoningTokens = 0 }: Usage): JsonObject {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

export function readResponse(body: JsonObject): CanonicalResponse {
  const status = body['status'] ?? 'completed';
  if (status !== 'completed' && status !== 'incomplete')
    throw new IntramurError('UPSTREAM_PROTOCOL', messageIn(body) ?? 'the upstream answered with a response that is not finished');
  const parts = objectsOf(body['output']).flatMap(readItem);
  const isRefusal = objectsOf(body['output']).some((item) => objectsOf(item['content']).some((part) => part['type'] === 'refusal'));
  return {
    id: stringOf(body['id']) ?? '',
    parts,
    stop: isRefusal
      ? 'filtered'
      : stopFor(
          readStop(body),
          parts.some((part) => part.kind === 'tool-call'),
        ),
    usage: usageOf('openai-responses', body) ?? noUsage,
  };
}

function readItem(item: JsonObject): AnswerPart[] {
  const id = callId(stringOf(item['call_id']) ?? '');
  const name = stringOf(item['name']) ?? '';
  switch (item['type']) {
    case 'message':
      return objectsOf(item['content']).flatMap((part) => {
        const text = stringOf(part['text']) ?? stringOf(part['refusal']);
        return text ? [{ kind: 'text', text } as const] : [];
      });
    case 'reasoning':
      return [readReasoning(item)];
    case 'function_call':
      return [{ kind: 'tool-call', id, name, input: stringOf(item['arguments']) || '{}' }];
    case 'custom_tool_call':
      return [{ kind: 'tool-call', id, name, input: customInput(stringOf(item['input']) ?? '') }];
    default:
      return [];
  }
}

export function readReasoning(item: JsonObject): ThinkingPart {
  const text = [...objectsOf(item['summary']), ...objectsOf(item['content'])].flatMap((part) => stringOf(part['text']) ?? []).join('\n\n');
  const encrypted = stringOf(item['encrypted_content']);
  const id = stringOf(item['id']);
  if (encrypted === undefined) return { kind: 'thinking', text };
  const signature = unwrapSignature(encrypted, 'openai-responses');
  return {
    kind: 'thinking',
    text,
    signature: id !== undefined && signature.dialect === 'openai-responses' ? { ...signature, id } : signature,
  };
}

export function writeResponse(response: CanonicalResponse, context: AnswerContext): JsonObject {
  const id = bareId(response.id, context);
  return envelope(
    id,
    context,
    response.parts.map((part, n) => writeItem(part, `${id}_${n}`, context)),
    { stop: response.stop, usage: response.usage },
  );
}

/** A response object; `outcome` is left out while it is in progress. */
export function envelope(
  id: string,
  context: AnswerContext,
  output: readonly JsonObject[],
  outcome?: { readonly stop: Stop; readonly usage: Usage },
): JsonObject {
  const reason = outcome && incompleteReason(outcome.stop);
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: context.createdAt,
    status: outcome ? (reason === undefined ? 'completed' : 'incomplete') : 'in_progress',
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    model: context.model,
    output,
    ...(outcome && { usage: writeUsage(outcome.usage) }),
  };
}

export function incompleteReason(stop: Stop): string | undefined {
  if (stop === 'filtered') return 'content_filter';
  return stop === 'length' || stop === 'context' ? 'max_output_tokens' : undefined;
}

export function writeItem(part: AnswerPart, id: string, context: AnswerContext): JsonObject {
  switch (part.kind) {
    case 'text':
      return {
        type: 'message',
        id: `msg_${id}`,
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: part.text, annotations: [] }],
      };
    case 'thinking':
      return {
        type: 'reasoning',
        id: part.signature?.id ?? `rs_${id}`,
        summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
        ...(part.signature && { encrypted_content: wrapSignature(part.signature, 'openai-responses') }),
      };
    case 'tool-call':
      return writeCall(part, id, context);
  }
}

function writeCall(part: ToolCallPart, id: string, context: AnswerContext): JsonObject {
  const { name, namespace, isCustom } = context.toolOf(part.name);
  return {
    type: isCustom ? 'custom_tool_call' : 'function_call',
    id: `${isCustom ? 'ctc' : 'fc'}_${id}`,
    status: 'completed',
    call_id: part.id,
    name,
    ...(namespace !== undefined && { namespace }),
    ...(isCustom ? { input: customText(part.input) } : { arguments: part.input || '{}' }),
  };
}
