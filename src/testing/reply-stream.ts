// A rehearsal reply as the events of a stream, in the order in which each vendor sends them.
import type { Dialect } from '../core/index.ts';
import { type Reply, rehearsalModel } from './reply.ts';
import { chatUsage, geminiParts, geminiUsage, responsesBody, responsesItems, signature } from './reply-body.ts';

/** The chunks of the response body; a cut between any two of them is a cut stream. */
export function replyChunks(dialect: Dialect, reply: Reply, asJsonArray: boolean): string[] {
  switch (dialect) {
    case 'anthropic-messages':
      return anthropicEvents(reply).map((data) => named(String(data['type']), data));
    case 'openai-chat':
      return [...chatEvents(reply).map((data) => unnamed(data)), 'data: [DONE]\n\n'];
    case 'openai-responses':
      return responsesEvents(reply).map((data, sequence_number) => named(String(data['type']), { ...data, sequence_number }));
    case 'gemini': {
      const events = geminiEvents(reply);
      if (!asJsonArray) return events.map((data) => `data: ${JSON.stringify(data)}\r\n\r\n`);
      return [...events.map((data, n) => `${n === 0 ? '[' : ',\r\n'}${JSON.stringify(data)}`), ']'];
    }
  }
}

type Data = Record<string, unknown>;

function named(name: string, data: Data): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function unnamed(data: Data): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** A text in a few pieces, so that streams have something to assemble. */
function pieces(text: string): string[] {
  const size = Math.max(1, Math.ceil(text.length / 3));
  const points = [...text];
  const out: string[] = [];
  for (let at = 0; at < points.length; at += size) out.push(points.slice(at, at + size).join(''));
  return out;
}

function anthropicEvents(reply: Reply): Data[] {
  const events: Data[] = [
    {
      type: 'message_start',
      message: {
        id: `msg_${reply.id}`,
        type: 'message',
        role: 'assistant',
        model: rehearsalModel,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: reply.inputTokens, output_tokens: 1, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
      },
    },
    { type: 'ping' },
  ];
  let index = 0;
  const block = (content_block: Data, deltas: Data[]): void => {
    events.push({ type: 'content_block_start', index, content_block });
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta });
    events.push({ type: 'content_block_stop', index });
    index++;
  };
  if (reply.thinking !== undefined)
    block({ type: 'thinking', thinking: '', signature: '' }, [
      ...pieces(reply.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature: signature(reply) },
    ]);
  if (reply.text !== undefined)
    block(
      { type: 'text', text: '' },
      pieces(reply.text).map((text) => ({ type: 'text_delta', text })),
    );
  for (const { id, name, input } of reply.calls)
    block(
      { type: 'tool_use', id, name, input: {} },
      pieces(JSON.stringify(input)).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
    );
  const stop_reason = reply.calls.length > 0 ? 'tool_use' : 'end_turn';
  events.push({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: reply.outputTokens } });
  events.push({ type: 'message_stop' });
  return events;
}

function chatEvents(reply: Reply): Data[] {
  const head = { id: `chatcmpl-${reply.id}`, object: 'chat.completion.chunk', created: 0, model: rehearsalModel };
  const chunk = (delta: Data, finish_reason: string | null = null): Data => ({ ...head, choices: [{ index: 0, delta, finish_reason }] });
  return [
    chunk({ role: 'assistant', content: '' }),
    ...pieces(reply.thinking ?? '').map((reasoning_content) => chunk({ reasoning_content })),
    ...pieces(reply.text ?? '').map((content) => chunk({ content })),
    ...reply.calls.flatMap(({ id, name, input }, index) => {
      if (typeof input === 'string')
        return [
          chunk({ tool_calls: [{ index, id, type: 'custom', custom: { name, input: '' } }] }),
          ...pieces(input).map((piece) => chunk({ tool_calls: [{ index, custom: { input: piece } }] })),
        ];
      return [
        chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
        ...pieces(JSON.stringify(input)).map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
      ];
    }),
    chunk({}, reply.calls.length > 0 ? 'tool_calls' : 'stop'),
    { ...head, choices: [], usage: chatUsage(reply) },
  ];
}

function responsesEvents(reply: Reply): Data[] {
  const events: Data[] = [
    { type: 'response.created', response: responsesBody(reply, 'in_progress', []) },
    { type: 'response.in_progress', response: responsesBody(reply, 'in_progress', []) },
  ];
  const items = responsesItems(reply);
  items.forEach((item, output_index) => {
    const at = { item_id: item['id'], output_index };
    events.push({ type: 'response.output_item.added', output_index, item: emptied(item) });
    if (item['type'] === 'reasoning') {
      const part = { ...at, summary_index: 0 };
      events.push({ type: 'response.reasoning_summary_part.added', ...part, part: { type: 'summary_text', text: '' } });
      for (const delta of pieces(reply.thinking ?? '')) events.push({ type: 'response.reasoning_summary_text.delta', ...part, delta });
      events.push({ type: 'response.reasoning_summary_text.done', ...part, text: reply.thinking });
      events.push({ type: 'response.reasoning_summary_part.done', ...part, part: { type: 'summary_text', text: reply.thinking } });
    }
    if (item['type'] === 'message') {
      const part = { ...at, content_index: 0 };
      events.push({ type: 'response.content_part.added', ...part, part: { type: 'output_text', text: '', annotations: [] } });
      for (const delta of pieces(reply.text ?? '')) events.push({ type: 'response.output_text.delta', ...part, delta });
      events.push({ type: 'response.output_text.done', ...part, text: reply.text });
      events.push({ type: 'response.content_part.done', ...part, part: { type: 'output_text', text: reply.text, annotations: [] } });
    }
    if (item['type'] === 'function_call') {
      for (const delta of pieces(String(item['arguments']))) events.push({ type: 'response.function_call_arguments.delta', ...at, delta });
      events.push({ type: 'response.function_call_arguments.done', ...at, arguments: item['arguments'] });
    }
    if (item['type'] === 'custom_tool_call') {
      for (const delta of pieces(String(item['input']))) events.push({ type: 'response.custom_tool_call_input.delta', ...at, delta });
      events.push({ type: 'response.custom_tool_call_input.done', ...at, input: item['input'] });
    }
    events.push({ type: 'response.output_item.done', output_index, item });
  });
  events.push({ type: 'response.completed', response: responsesBody(reply, 'completed', items) });
  return events;
}

/** An item as it is announced: its content follows. */
function emptied(item: Data): Data {
  switch (item['type']) {
    case 'message':
      return { ...item, status: 'in_progress', content: [] };
    case 'function_call':
      return { ...item, status: 'in_progress', arguments: '' };
    case 'custom_tool_call':
      return { ...item, status: 'in_progress', input: '' };
    default:
      return { ...item, summary: [] };
  }
}

function geminiEvents(reply: Reply): Data[] {
  const head = { modelVersion: rehearsalModel, responseId: reply.id };
  const chunk = (parts: Data[], finishReason?: string): Data => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason !== undefined && { finishReason }) }],
    ...head,
    ...(finishReason !== undefined && { usageMetadata: geminiUsage(reply) }),
  });
  const parts = geminiParts(reply).flatMap((part) => {
    const { text, ...rest } = part;
    return typeof text === 'string' ? pieces(text).map((piece) => ({ text: piece, ...rest })) : [part];
  });
  return [...parts.map((part) => chunk([part])), chunk([{ text: '' }], 'STOP')];
}
