// Anthropic Messages requests, read into the canonical form (platform.claude.com, "Messages"; beta: system messages in
// mid-conversation, `output_config`).
import { headerSafe, unknownFields } from '../canonical/dropped.ts';
import {
  type CanonicalRequest,
  effortOf,
  type Part,
  type Reasoning,
  type ResultPart,
  type Settings,
  type Tool,
  type Turn,
} from '../canonical/request.ts';
import { numbers } from '../canonical/settings.ts';
import { signedThinking, unwrapSignature } from '../canonical/signature.ts';
import { callId, type ToolNames } from '../canonical/tool-names.ts';
import { type Json, type JsonObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../json.ts';

const carried = new Set([
  'model',
  'stream',
  'system',
  'messages',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'thinking',
  'output_config',
]);
/** Accounting, caching and clean-up on the vendor's side: nothing that changes what is answered. */
const meaningless = new Set(['metadata', 'service_tier', 'context_management', 'cache_control', 'betas', 'diagnostics']);
const known = new Set([...carried, ...meaningless]);

/** Claude Code's first system text; it changes with every call, says nothing to a model and breaks the prefix cache of local servers. */
const billingLine = 'x-anthropic-billing-header:';

export function readRequest(body: JsonObject, names: ToolNames): CanonicalRequest {
  const dropped = [
    ...unknownFields(body, known),
    ...unknownFields(objectOf(body['output_config']), new Set(['effort', 'format']), 'output_config.'),
  ];
  const tools = readTools(body['tools'], names, dropped);
  const turns = objectsOf(body['messages']).map((message) => readTurn(message, names, dropped));
  return {
    model: stringOf(body['model']) ?? '',
    stream: body['stream'] === true,
    system: texts(body['system']).filter((text) => !text.startsWith(billingLine)),
    turns,
    tools,
    settings: readSettings(body, names),
    dropped: [...new Set(dropped)],
  };
}

/** The texts of a string or a list of text blocks. */
function texts(content: Json | undefined): string[] {
  if (typeof content === 'string') return content === '' ? [] : [content];
  return objectsOf(content).flatMap((block) => stringOf(block['text']) || []);
}

function readTools(tools: Json | undefined, names: ToolNames, dropped: string[]): Tool[] {
  return objectsOf(tools).flatMap((tool) => {
    const schema = objectOf(tool['input_schema']);
    const name = stringOf(tool['name']);
    if (!schema || name === undefined) {
      dropped.push(`tools.${headerSafe(stringOf(tool['type']) ?? 'unknown')}`);
      return [];
    }
    const wire = names.add({ name, isCustom: false });
    return [{ name: wire, description: stringOf(tool['description']), schema, ...(tool['strict'] === true && { strict: true }) }];
  });
}

function readTurn(message: JsonObject, names: ToolNames, dropped: string[]): Turn {
  const { content } = message;
  const role = message['role'] === 'assistant' || message['role'] === 'system' ? message['role'] : 'user';
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
  return { role, parts: blocks.flatMap((block) => readBlock(block, names, dropped)) };
}

function readBlock(block: JsonObject, names: ToolNames, dropped: string[]): Part[] {
  switch (block['type']) {
    case 'thinking':
      return [signedThinking(stringOf(block['thinking']) ?? '', unwrapSignature(stringOf(block['signature']) ?? '', 'anthropic-messages'))];
    case 'redacted_thinking':
      return [
        {
          kind: 'thinking',
          text: '',
          signature: { dialect: 'anthropic-messages', value: stringOf(block['data']) ?? '', isRedacted: true },
        },
      ];
    case 'tool_use': {
      const name = names.add({ name: stringOf(block['name']) ?? '', isCustom: false });
      return [{ kind: 'tool-call', id: callId(stringOf(block['id']) ?? ''), name, input: JSON.stringify(block['input'] ?? {}) }];
    }
    case 'tool_result': {
      const { content } = block;
      const inner = typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
      const parts = inner.flatMap((part) => readContent(part, dropped));
      return [{ kind: 'tool-result', id: callId(stringOf(block['tool_use_id']) ?? ''), parts, isError: block['is_error'] === true }];
    }
    default:
      return readContent(block, dropped);
  }
}

function readContent(block: JsonObject, dropped: string[]): ResultPart[] {
  switch (block['type']) {
    case 'text':
      return [{ kind: 'text', text: stringOf(block['text']) ?? '' }];
    case 'tool_reference':
      return [{ kind: 'text', text: `Tool available: ${stringOf(block['tool_name']) ?? ''}` }];
    case 'image':
    case 'document': {
      const media = readMedia(block);
      if (!media) break;
      if (objectOf(block['citations'])?.['enabled'] === true) dropped.push('messages.citations');
      const context = stringOf(block['context']);
      return [...(context ? [{ kind: 'text', text: context } as const] : []), media];
    }
    // What the vendor made of the beginning of a long conversation, which is no longer part of the call.
    case 'compaction': {
      const summary = stringOf(block['content']);
      return summary ? [{ kind: 'text', text: summary }] : [];
    }
    case 'search_result':
      return texts(block['content']).map((text) => ({ kind: 'text', text }));
    default:
  }
  dropped.push(`messages.${headerSafe(stringOf(block['type']) ?? 'unknown')}`);
  return [];
}

function readMedia(block: JsonObject): ResultPart | undefined {
  const source = objectOf(block['source']) ?? {};
  const kind = block['type'] === 'image' ? 'image' : 'document';
  const title = stringOf(block['title']);
  const name = title === undefined ? {} : { name: title };
  const data = stringOf(source['data']);
  const url = stringOf(source['url']);
  if (source['type'] === 'base64' && data !== undefined)
    return { kind, source: { mediaType: stringOf(source['media_type']) ?? '', base64: data }, ...name };
  if (source['type'] === 'url' && url !== undefined) return { kind, source: { url }, ...name };
  if (source['type'] === 'text' && data !== undefined) return { kind: 'text', text: data };
  if (source['type'] === 'content') return { kind: 'text', text: texts(source['content']).join('\n') };
  return undefined;
}

function readSettings(body: JsonObject, names: ToolNames): Settings {
  const choice = objectOf(body['tool_choice']);
  const format = objectOf(objectOf(body['output_config'])?.['format']);
  const schema = objectOf(format?.['schema']);
  const reasoning = readReasoning(body);
  const stop = listOf(body['stop_sequences']).filter((item) => typeof item === 'string');
  const toolName = stringOf(choice?.['name']);
  return {
    ...numbers(body, { max_tokens: 'maxTokens', temperature: 'temperature', top_p: 'topP', top_k: 'topK' }),
    ...(stop.length > 0 && { stop }),
    ...((choice?.['type'] === 'auto' || choice?.['type'] === 'any' || choice?.['type'] === 'none') && {
      toolChoice: { mode: choice['type'] },
    }),
    ...(choice?.['type'] === 'tool' &&
      toolName !== undefined && { toolChoice: { mode: 'tool', name: names.add({ name: toolName, isCustom: false }) } }),
    ...(choice?.['disable_parallel_tool_use'] === true && { parallelTools: false }),
    ...(reasoning && { reasoning }),
    ...(schema && { answer: { kind: 'schema', name: 'answer', schema, strict: true } }),
  };
}

function readReasoning(body: JsonObject): Reasoning | undefined {
  const thinking = objectOf(body['thinking']);
  const effort = effortOf(objectOf(body['output_config'])?.['effort']);
  if (!thinking) return effort && { isEnabled: true, effort };
  if (thinking['type'] === 'disabled') return { isEnabled: false };
  const budgetTokens = numberOf(thinking['budget_tokens']);
  return { isEnabled: true, ...(effort !== undefined && { effort }), ...(budgetTokens !== undefined && { budgetTokens }) };
}
