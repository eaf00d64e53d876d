// A rehearsal reply as the whole (not streamed) response of each dialect.
import type { Dialect } from '../core/index.ts';
import { type Reply, rehearsalModel } from './reply.ts';

export function replyBody(dialect: Dialect, reply: Reply): Record<string, unknown> {
  switch (dialect) {
    case 'anthropic-messages':
      return {
        id: `msg_${reply.id}`,
        type: 'message',
        role: 'assistant',
        model: rehearsalModel,
        content: [
          ...(reply.thinking === undefined ? [] : [{ type: 'thinking', thinking: reply.thinking, signature: signature(reply) }]),
          ...(reply.text === undefined ? [] : [{ type: 'text', text: reply.text }]),
          ...reply.calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
        ],
        stop_reason: reply.calls.length > 0 ? 'tool_use' : 'end_turn',
        stop_sequence: null,
        usage: {
          input_tokens: reply.inputTokens,
          output_tokens: reply.outputTokens,
          cache_read_input_tokens: 0,
          cache_creation_input_tokens: 0,
        },
      };
    case 'openai-chat':
      return {
        id: `chatcmpl-${reply.id}`,
        object: 'chat.completion',
        created: 0,
        model: rehearsalModel,
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: reply.text ?? null,
              ...(reply.thinking !== undefined && { reasoning_content: reply.thinking }),
              ...(reply.calls.length > 0 && { tool_calls: reply.calls.map(chatCall) }),
            },
            finish_reason: reply.calls.length > 0 ? 'tool_calls' : 'stop',
          },
        ],
        usage: chatUsage(reply),
      };
    case 'openai-responses':
      return responsesBody(reply, 'completed', responsesItems(reply));
    case 'gemini':
      return {
        candidates: [{ content: { role: 'model', parts: geminiParts(reply) }, finishReason: 'STOP', index: 0 }],
        usageMetadata: geminiUsage(reply),
        modelVersion: rehearsalModel,
        responseId: reply.id,
      };
  }
}

/** Stands for a vendor's signature over its thinking; clients must send it back unchanged. */
export function signature(reply: Reply): string {
  return Buffer.from(`rehearsal ${reply.id}`).toString('base64');
}

function chatCall(call: Reply['calls'][number]): Record<string, unknown> {
  const { id, name, input } = call;
  return typeof input === 'string'
    ? { id, type: 'custom', custom: { name, input } }
    : { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

export function chatUsage(reply: Reply): Record<string, unknown> {
  return {
    prompt_tokens: reply.inputTokens,
    completion_tokens: reply.outputTokens,
    total_tokens: reply.inputTokens + reply.outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

export function responsesBody(reply: Reply, status: string, output: readonly unknown[]): Record<string, unknown> {
  return {
    id: `resp_${reply.id}`,
    object: 'response',
    created_at: 0,
    status,
    model: rehearsalModel,
    output,
    error: null,
    incomplete_details: null,
    ...(status === 'completed' && {
      usage: {
        input_tokens: reply.inputTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: reply.outputTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: reply.inputTokens + reply.outputTokens,
      },
    }),
  };
}

export function responsesItems(reply: Reply): Record<string, unknown>[] {
  return [
    ...(reply.thinking === undefined
      ? []
      : [
          {
            type: 'reasoning',
            id: `rs_${reply.id}`,
            summary: [{ type: 'summary_text', text: reply.thinking }],
            encrypted_content: signature(reply),
          },
        ]),
    ...(reply.text === undefined
      ? []
      : [
          {
            type: 'message',
            id: `msg_${reply.id}`,
            status: 'completed',
            role: 'assistant',
            content: [{ type: 'output_text', text: reply.text, annotations: [] }],
          },
        ]),
    ...reply.calls.map(({ id, name, namespace, input }, n) => ({
      id: `fc_${reply.id}_${n}`,
      status: 'completed',
      call_id: id,
      name,
      ...(namespace !== undefined && { namespace }),
      ...(typeof input === 'string' ? { type: 'custom_tool_call', input } : { type: 'function_call', arguments: JSON.stringify(input) }),
    })),
  ];
}

export function geminiParts(reply: Reply): Record<string, unknown>[] {
  return [
    ...(reply.thinking === undefined ? [] : [{ text: reply.thinking, thought: true }]),
    ...(reply.text === undefined ? [] : [{ text: reply.text }]),
    ...reply.calls.map(({ id, name, input }, n) => ({
      functionCall: { id, name, args: input },
      ...(n === 0 && reply.thinking !== undefined && { thoughtSignature: signature(reply) }),
    })),
  ];
}

export function geminiUsage(reply: Reply): Record<string, unknown> {
  return {
    promptTokenCount: reply.inputTokens,
    candidatesTokenCount: reply.outputTokens,
    totalTokenCount: reply.inputTokens + reply.outputTokens,
  };
}
