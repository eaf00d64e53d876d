// Gemini answers, to and from the canonical form.
import { IntramurError } from '../../core/index.ts';
import { inputObject } from '../canonical/parts.ts';
import { type AnswerContext, type AnswerPart, bareId, type CanonicalResponse, noUsage, type Stop, stopFor } from '../canonical/response.ts';
import { carriedThinking, unwrapSignature, wrapSignature } from '../canonical/signature.ts';
import { callId } from '../canonical/tool-names.ts';
import { type JsonObject, objectOf, objectsOf, stringOf } from '../json.ts';
import { type Usage, usageOf } from '../usage.ts';

const filtered = new Set(['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'IMAGE_SAFETY', 'LANGUAGE']);
/** The model tried to call a tool and failed at it: neither an answer nor a call. */
const broken = new Set(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS']);

export interface GeminiEnd {
  readonly stop?: Stop;
  /** Why there is no usable answer. */
  readonly failure?: string;
}

/** How a response or chunk ends; empty when it does not. */
export function readEnd(body: JsonObject): GeminiEnd {
  if (objectOf(body['promptFeedback'])?.['blockReason']) return { stop: 'filtered' };
  const reason = stringOf(objectsOf(body['candidates'])[0]?.['finishReason']);
  if (reason === undefined) return {};
  if (broken.has(reason)) return { failure: `the model's call of a tool was not valid (${reason})` };
  if (filtered.has(reason)) return { stop: 'filtered' };
  return { stop: reason === 'MAX_TOKENS' ? 'length' : 'end' };
}

export function writeStop(stop: Stop): string {
  if (stop === 'filtered') return 'SAFETY';
  return stop === 'length' || stop === 'context' ? 'MAX_TOKENS' : 'STOP';
}

export function writeUsage({ inputTokens, outputTokens, cachedTokens, reasoningTokens = 0 }: Usage): JsonObject {
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: Math.max(0, outputTokens - reasoningTokens),
    totalTokenCount: inputTokens + outputTokens,
    ...(cachedTokens > 0 && { cachedContentTokenCount: cachedTokens }),
    ...(reasoningTokens > 0 && { thoughtsTokenCount: reasoningTokens }),
  };
}

export function readResponse(body: JsonObject, newId: () => string): CanonicalResponse {
  const end = readEnd(body);
  if (end.failure !== undefined) throw new IntramurError('UPSTREAM_PROTOCOL', end.failure);
  if (end.stop === undefined && partsOf(body).length === 0)
    throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream answered without a candidate');
  const parts = partsOf(body).flatMap((part) => readPart(part, newId));
  return {
    id: stringOf(body['responseId']) ?? '',
    parts,
    stop: stopFor(
      end.stop ?? 'end',
      parts.some((part) => part.kind === 'tool-call'),
    ),
    usage: usageOf('gemini', body) ?? noUsage,
  };
}

export function partsOf(body: JsonObject): readonly JsonObject[] {
  return objectsOf(objectOf(objectsOf(body['candidates'])[0]?.['content'])?.['parts']);
}

/** A call's signature comes before it, as thinking without words. */
export function readPart(part: JsonObject, newId: () => string): AnswerPart[] {
  const text = stringOf(part['text']);
  if (text !== undefined) return text === '' ? [] : [{ kind: part['thought'] === true ? 'thinking' : 'text', text }];
  const call = objectOf(part['functionCall']);
  if (!call) return [];
  const signature = stringOf(part['thoughtSignature']);
  const id = callId(stringOf(call['id']) ?? newId());
  return [
    ...(signature === undefined ? [] : [{ kind: 'thinking', text: '', signature: unwrapSignature(signature, 'gemini') } as const]),
    { kind: 'tool-call', id, name: stringOf(call['name']) ?? '', input: JSON.stringify(call['args'] ?? {}) },
  ];
}

export function writeResponse(response: CanonicalResponse, context: AnswerContext): JsonObject {
  let signature: string | undefined;
  const parts = response.parts.flatMap((part): JsonObject[] => {
    if (part.kind === 'thinking') {
      signature = part.signature ? wrapSignature(part.signature, 'gemini') : (carriedThinking(part.text, 'gemini') ?? signature);
      return part.text === '' ? [] : [{ text: part.text, thought: true }];
    }
    const signed = signature === undefined ? {} : { thoughtSignature: signature };
    signature = undefined;
    return [{ ...writePart(part, context), ...signed }];
  });
  return chunk(bareId(response.id, context), context, parts, { stop: response.stop, usage: response.usage });
}

export function writePart(part: Exclude<AnswerPart, { kind: 'thinking' }>, context: AnswerContext): JsonObject {
  if (part.kind === 'text') return { text: part.text };
  return { functionCall: { id: part.id, name: context.toolOf(part.name).name, args: inputObject(part.input) } };
}

/** One response object; `outcome` ends it. */
export function chunk(
  id: string,
  context: AnswerContext,
  parts: readonly JsonObject[],
  outcome?: { readonly stop: Stop; readonly usage: Usage },
): JsonObject {
  return {
    candidates: [{ content: { role: 'model', parts }, ...(outcome && { finishReason: writeStop(outcome.stop) }), index: 0 }],
    ...(outcome && { usageMetadata: writeUsage(outcome.usage) }),
    modelVersion: context.model,
    responseId: id,
  };
}
