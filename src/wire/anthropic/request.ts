// Anthropic Messages requests, to and from the canonical form (platform.claude.com, "Messages"; beta: system messages in
// mid-conversation, `output_config`).

import { droppedSettings, headerSafe, unknownFields } from '../canonical/dropped.ts';
import { asReminder, inputObject } from '../canonical/parts.ts';
import {
  type CanonicalRequest,
  effortOf,
  type MediaPart,
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
import type { Written } from '../canonical/written.ts';
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
  const dropped = unknownFields(body, known);
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
  return objectsOf(content).flatMap((block) => stringOf(block['text']) ?? []);
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
      if (media) return [media];
      break;
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
  if (!thinking) return undefined;
  if (thinking['type'] === 'disabled') return { isEnabled: false };
  const budgetTokens = numberOf(thinking['budget_tokens']);
  return { isEnabled: true, ...(effort !== undefined && { effort }), ...(budgetTokens !== undefined && { budgetTokens }) };
}

/** `max_tokens` is required; most models of today allow this much. */
const defaultMaxTokens = 32_000;

export function writeRequest(request: CanonicalRequest): Written {
  const { settings } = request;
  const reasoning = writeReasoning(request);
  const dropped = droppedSettings(settings, ['seed', 'frequencyPenalty', 'presencePenalty']);
  if (settings.answer?.kind === 'json') dropped.push('answer');
  if ((settings.temperature ?? 1) !== 1 && (reasoning || (settings.temperature ?? 1) > 1)) dropped.push('temperature');
  const hasTools = request.tools.length > 0;
  const body: JsonObject = {
    model: request.model,
    max_tokens: settings.maxTokens ?? defaultMaxTokens,
    ...(request.system.length > 0 && { system: request.system.map((text) => ({ type: 'text', text })) }),
    messages: writeTurns(request),
    ...(hasTools && {
      tools: request.tools.map(({ name, description, schema }) => ({
        name,
        ...(description && { description }),
        input_schema: objectSchema(schema),
      })),
    }),
    ...(hasTools && writeToolChoice(settings)),
    // The scale ends at 1 here and at 2 elsewhere; thinking allows no other temperature than 1.
    ...(settings.temperature !== undefined && !reasoning && { temperature: Math.min(settings.temperature, 1) }),
    ...(settings.topP !== undefined && !reasoning && { top_p: settings.topP }),
    ...(settings.topK !== undefined && !reasoning && { top_k: settings.topK }),
    ...(settings.stop && { stop_sequences: settings.stop }),
    ...reasoning,
    ...writeOutputConfig(settings, reasoning !== undefined),
    stream: request.stream,
  };
  return { body, dropped };
}

/** Anthropic wants an object schema at the top. */
function objectSchema(schema: JsonObject): JsonObject {
  return schema['type'] === 'object' ? schema : { type: 'object', ...schema };
}

function writeToolChoice({ toolChoice, parallelTools }: Settings): { tool_choice?: JsonObject } {
  const single = parallelTools === false ? { disable_parallel_tool_use: true } : {};
  if (!toolChoice) return parallelTools === false ? { tool_choice: { type: 'auto', ...single } } : {};
  if (toolChoice.mode === 'tool') return { tool_choice: { type: 'tool', name: toolChoice.name, ...single } };
  return { tool_choice: { type: toolChoice.mode, ...(toolChoice.mode !== 'none' && single) } };
}

/**
 * Thinking is asked for only where the server can accept it: not with a forced tool, and not when the history holds calls whose
 * thinking was another vendor's, since a turn with calls must begin with a signed thinking block.
 */
function writeReasoning({ settings, turns }: CanonicalRequest): { thinking: JsonObject } | undefined {
  const { reasoning, toolChoice, maxTokens = defaultMaxTokens } = settings;
  if (!reasoning?.isEnabled || toolChoice?.mode === 'any' || toolChoice?.mode === 'tool') return undefined;
  const isUnsigned = turns.some(
    ({ role, parts }) => role === 'assistant' && parts.some((part) => part.kind === 'tool-call') && !parts.some(isOwnThinking),
  );
  if (isUnsigned) return undefined;
  if (reasoning.budgetTokens === undefined || reasoning.budgetTokens < 0) return { thinking: { type: 'adaptive' } };
  const budget = Math.min(Math.max(1024, reasoning.budgetTokens), maxTokens - 1);
  return budget < 1024 ? undefined : { thinking: { type: 'enabled', budget_tokens: budget } };
}

function isOwnThinking(part: Part): boolean {
  return part.kind === 'thinking' && part.signature?.dialect === 'anthropic-messages' && part.signature.value !== '';
}

function writeOutputConfig({ answer, reasoning }: Settings, isThinking: boolean): { output_config?: JsonObject } {
  const effort = isThinking && reasoning?.effort !== undefined ? (reasoning.effort === 'minimal' ? 'low' : reasoning.effort) : undefined;
  const config = {
    ...(effort !== undefined && { effort }),
    ...(answer?.kind === 'schema' && { format: { type: 'json_schema', schema: answer.schema } }),
  };
  return Object.keys(config).length > 0 ? { output_config: config } : {};
}

/** Roles alternate; results come first in their turn, and all results of a turn stand in one message. */
function writeTurns({ turns }: CanonicalRequest): JsonObject[] {
  const messages: { role: string; content: JsonObject[] }[] = [];
  for (const turn of turns) {
    const role = turn.role === 'assistant' ? 'assistant' : 'user';
    const blocks = turn.parts.flatMap((part) => writePart(turn.role === 'system' ? asReminder(part) : part));
    if (blocks.length === 0) continue;
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else messages.push({ role, content: blocks });
  }
  for (const message of messages) {
    const isResult = (block: JsonObject): boolean => block['type'] === 'tool_result';
    message.content = [...message.content.filter(isResult), ...message.content.filter((block) => !isResult(block))];
  }
  return messages;
}

function writePart(part: Part): JsonObject[] {
  switch (part.kind) {
    case 'text':
      // Empty text blocks are refused.
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
    case 'document':
      return [writeMedia(part)];
    case 'thinking':
      if (!isOwnThinking(part)) return [];
      return part.signature?.isRedacted
        ? [{ type: 'redacted_thinking', data: part.signature.value }]
        : [{ type: 'thinking', thinking: part.text, signature: part.signature?.value ?? '' }];
    case 'tool-call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: inputObject(part.input) }];
    case 'tool-result': {
      const content = part.parts.flatMap(writePart);
      return [
        { type: 'tool_result', tool_use_id: part.id, ...(content.length > 0 && { content }), ...(part.isError && { is_error: true }) },
      ];
    }
  }
}

function writeMedia({ kind, source, name }: MediaPart): JsonObject {
  const from = 'url' in source ? { type: 'url', url: source.url } : { type: 'base64', media_type: source.mediaType, data: source.base64 };
  return { type: kind, source: from, ...(kind === 'document' && name !== undefined && { title: name }) };
}
