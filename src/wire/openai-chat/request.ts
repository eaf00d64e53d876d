// OpenAI Chat Completions requests, to and from the canonical form, with what open servers add (`reasoning_content`).
import { headerSafe, unknownFields } from '../canonical/dropped.ts';
import { sourceFromUrl, urlFromSource } from '../canonical/media.ts';
import { asReminder, resultText } from '../canonical/parts.ts';
import {
  type CanonicalRequest,
  effortOf,
  type MediaPart,
  type Part,
  type ResultPart,
  type Settings,
  type Tool,
  type Turn,
} from '../canonical/request.ts';
import { numbers } from '../canonical/settings.ts';
import { callId, customInput, customSchema, type ToolNames } from '../canonical/tool-names.ts';
import { Turns } from '../canonical/turns.ts';
import type { Written } from '../canonical/written.ts';
import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../json.ts';

const known = new Set([
  ...['model', 'stream', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_tokens', 'max_completion_tokens', 'temperature'],
  ...['top_p', 'top_k', 'seed', 'frequency_penalty', 'presence_penalty', 'stop', 'reasoning_effort', 'response_format'],
  // Accounting, caching and transport.
  ...['stream_options', 'user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
]);

export function readRequest(body: JsonObject, names: ToolNames): CanonicalRequest {
  // One answer is what everybody gives; more is not to be had elsewhere.
  const dropped = unknownFields(body['n'] === 1 ? { ...body, n: null } : body, known);
  const tools = objectsOf(body['tools']).flatMap((tool) => readTool(tool, names, dropped));
  const system: string[] = [];
  const turns = new Turns();
  for (const message of objectsOf(body['messages'])) readMessage(message, { names, dropped, system, turns });
  return {
    model: stringOf(body['model']) ?? '',
    stream: body['stream'] === true,
    system,
    turns: turns.list,
    tools,
    settings: readSettings(body, names),
    dropped: [...new Set(dropped)],
  };
}

function readTool(tool: JsonObject, names: ToolNames, dropped: string[]): Tool[] {
  const type = stringOf(tool['type']) ?? 'function';
  const definition = objectOf(tool[type]);
  const name = stringOf(definition?.['name']);
  const description = stringOf(definition?.['description']);
  if (name !== undefined && type === 'function') {
    const schema = objectOf(definition?.['parameters']) ?? { type: 'object', properties: {} };
    return [{ name: names.add({ name, isCustom: false }), description, schema, ...(definition?.['strict'] === true && { strict: true }) }];
  }
  if (name !== undefined && type === 'custom') return [{ name: names.add({ name, isCustom: true }), description, schema: customSchema }];
  dropped.push(`tools.${headerSafe(type)}`);
  return [];
}

interface Reading {
  readonly names: ToolNames;
  readonly dropped: string[];
  readonly system: string[];
  readonly turns: Turns;
}

function readMessage(message: JsonObject, { names, dropped, system, turns }: Reading): void {
  const parts = readContent(message['content'], dropped);
  switch (message['role']) {
    case 'system':
    case 'developer':
      if (turns.isEmpty) system.push(...parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])));
      else turns.add('system', parts);
      return;
    case 'assistant': {
      const thinking = stringOf(message['reasoning_content']) ?? stringOf(message['reasoning']);
      const refusal = stringOf(message['refusal']);
      turns.add('assistant', [
        ...(thinking ? [{ kind: 'thinking', text: thinking } as const] : []),
        ...parts,
        ...(refusal ? [{ kind: 'text', text: refusal } as const] : []),
        ...objectsOf(message['tool_calls']).flatMap((call) => readCall(call, names, dropped)),
      ]);
      return;
    }
    case 'tool':
      turns.add('user', [{ kind: 'tool-result', id: callId(stringOf(message['tool_call_id']) ?? ''), parts, isError: false }]);
      return;
    case 'user':
      turns.add('user', parts);
      return;
    default:
      dropped.push(`messages.${headerSafe(stringOf(message['role']) ?? 'unknown')}`);
  }
}

function readCall(call: JsonObject, names: ToolNames, dropped: string[]): Part[] {
  const id = callId(stringOf(call['id']) ?? '');
  const custom = objectOf(call['custom']);
  if (custom) {
    const name = names.add({ name: stringOf(custom['name']) ?? '', isCustom: true });
    return [{ kind: 'tool-call', id, name, input: customInput(stringOf(custom['input']) ?? '') }];
  }
  const definition = objectOf(call['function']);
  if (!definition) {
    dropped.push('messages.tool_calls');
    return [];
  }
  const name = names.add({ name: stringOf(definition['name']) ?? '', isCustom: false });
  return [{ kind: 'tool-call', id, name, input: stringOf(definition['arguments']) || '{}' }];
}

function readContent(content: Json | undefined, dropped: string[]): ResultPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return objectsOf(content).flatMap((part): ResultPart[] => {
    const file = objectOf(part['file']);
    const url = stringOf(objectOf(part['image_url'])?.['url']) ?? stringOf(part['image_url']);
    const fileData = stringOf(file?.['file_data']);
    const filename = stringOf(file?.['filename']);
    if (part['type'] === 'text' || part['type'] === 'refusal')
      return [{ kind: 'text', text: stringOf(part['text']) ?? stringOf(part['refusal']) ?? '' }];
    if (part['type'] === 'image_url' && url !== undefined) return [{ kind: 'image', source: sourceFromUrl(url) }];
    if (part['type'] === 'file' && fileData !== undefined)
      return [{ kind: 'document', source: sourceFromUrl(fileData), ...(filename !== undefined && { name: filename }) }];
    dropped.push(`messages.${headerSafe(stringOf(part['type']) ?? 'unknown')}`);
    return [];
  });
}

function readSettings(body: JsonObject, names: ToolNames): Settings {
  const choice = body['tool_choice'];
  const chosen = objectOf(objectOf(choice)?.['function']) ?? objectOf(objectOf(choice)?.['custom']);
  const chosenName = stringOf(chosen?.['name']);
  const stop = typeof body['stop'] === 'string' ? [body['stop']] : listOf(body['stop']).filter((item) => typeof item === 'string');
  const effort = effortOf(body['reasoning_effort']);
  const answer = readAnswer(objectOf(body['response_format']));
  return {
    ...numbers(body, {
      max_tokens: 'maxTokens',
      max_completion_tokens: 'maxTokens',
      temperature: 'temperature',
      top_p: 'topP',
      top_k: 'topK',
      seed: 'seed',
      frequency_penalty: 'frequencyPenalty',
      presence_penalty: 'presencePenalty',
    }),
    ...(stop.length > 0 && { stop }),
    ...((choice === 'auto' || choice === 'none') && { toolChoice: { mode: choice } }),
    ...(choice === 'required' && { toolChoice: { mode: 'any' } }),
    ...(chosenName !== undefined && { toolChoice: { mode: 'tool', name: names.add({ name: chosenName, isCustom: false }) } }),
    ...(body['parallel_tool_calls'] === false && { parallelTools: false }),
    ...(effort !== undefined && { reasoning: { isEnabled: true, effort } }),
    ...(body['reasoning_effort'] === 'none' && { reasoning: { isEnabled: false } }),
    ...(answer && { answer }),
  };
}

function readAnswer(format: JsonObject | undefined): Settings['answer'] {
  if (format?.['type'] === 'json_object') return { kind: 'json' };
  const definition = objectOf(format?.['json_schema']);
  const schema = objectOf(definition?.['schema']);
  if (!schema) return undefined;
  return {
    kind: 'schema',
    name: stringOf(definition?.['name']) ?? 'answer',
    schema,
    ...(definition?.['strict'] === true && { strict: true }),
  };
}

export function writeRequest(request: CanonicalRequest): Written {
  const { settings, tools, model } = request;
  const hasTools = tools.length > 0;
  // OpenAI's reasoning models refuse the old name and a temperature; local servers know only the old name.
  const isReasoningModel = /^(?:o\d|gpt-[5-9])/.test(model);
  const isOpenAi = isReasoningModel || /^(?:gpt-\d|chatgpt-)/.test(model);
  const stop = settings.stop?.slice(0, 4);
  const body: JsonObject = {
    model,
    messages: [
      ...(request.system.length > 0 ? [{ role: 'system', content: request.system.join('\n\n') }] : []),
      ...writeTurns(request.turns, !isOpenAi),
    ],
    ...(hasTools && { tools: tools.map(writeTool) }),
    ...(hasTools && settings.toolChoice && { tool_choice: writeToolChoice(settings.toolChoice) }),
    ...(hasTools && settings.parallelTools === false && { parallel_tool_calls: false }),
    ...(settings.maxTokens !== undefined && { [isReasoningModel ? 'max_completion_tokens' : 'max_tokens']: settings.maxTokens }),
    ...(settings.temperature !== undefined && !isReasoningModel && { temperature: settings.temperature }),
    ...(settings.topP !== undefined && !isReasoningModel && { top_p: settings.topP }),
    ...(settings.seed !== undefined && { seed: settings.seed }),
    ...(settings.frequencyPenalty !== undefined && { frequency_penalty: settings.frequencyPenalty }),
    ...(settings.presencePenalty !== undefined && { presence_penalty: settings.presencePenalty }),
    ...(stop && { stop }),
    ...(settings.reasoning?.isEnabled && (isReasoningModel || !isOpenAi) && writeEffort(settings.reasoning.effort)),
    ...(settings.answer && { response_format: writeAnswer(settings.answer) }),
    stream: request.stream,
    ...(request.stream && { stream_options: { include_usage: true } }),
  };
  const dropped: (keyof Settings)[] = settings.topK === undefined ? [] : ['topK'];
  if ((settings.stop?.length ?? 0) > 4) dropped.push('stop');
  if (isReasoningModel && (settings.temperature ?? 1) !== 1) dropped.push('temperature');
  if (isReasoningModel && (settings.topP ?? 1) !== 1) dropped.push('topP');
  return { body, dropped };
}

function writeTool({ name, description, schema, strict }: Tool): JsonObject {
  return { type: 'function', function: { name, ...(description && { description }), parameters: schema, ...(strict && { strict }) } };
}

function writeToolChoice(choice: NonNullable<Settings['toolChoice']>): Json {
  if (choice.mode === 'tool') return { type: 'function', function: { name: choice.name } };
  return choice.mode === 'any' ? 'required' : choice.mode;
}

/** The words of the dialect end at `high`. */
function writeEffort(effort: string | undefined): JsonObject {
  if (effort === undefined) return {};
  return { reasoning_effort: effort === 'xhigh' || effort === 'max' ? 'high' : effort };
}

function writeAnswer(answer: NonNullable<Settings['answer']>): JsonObject {
  if (answer.kind === 'json') return { type: 'json_object' };
  const { name, schema, strict } = answer;
  return { type: 'json_schema', json_schema: { name, schema, ...(strict && { strict }) } };
}

/** Neighbouring user turns become one message: chat templates of many open models insist on taking turns. */
function writeTurns(turns: readonly Turn[], withThinking: boolean): JsonObject[] {
  const messages: JsonObject[] = [];
  let content: ResultPart[] = [];
  const flush = (): void => {
    if (content.length > 0) messages.push({ role: 'user', content: writeContent(content) });
    content = [];
  };
  for (const { role, parts } of turns) {
    if (role === 'assistant') {
      flush();
      messages.push(...writeAssistant(parts, withThinking));
      continue;
    }
    const results = parts.filter((part) => part.kind === 'tool-result');
    if (results.length > 0) flush();
    messages.push(...results.map((result) => ({ role: 'tool', tool_call_id: result.id, content: resultText(result) })));
    // A tool message holds text alone, so pictures follow it.
    content.push(...results.flatMap((result) => result.parts.filter((part) => part.kind !== 'text')));
    for (const part of parts) {
      const said = role === 'system' ? asReminder(part) : part;
      if (said.kind === 'text' || said.kind === 'image' || said.kind === 'document') content.push(said);
    }
  }
  flush();
  return messages;
}

/** Open servers want thinking back (DeepSeek insists); OpenAI's own refuses the field. */
function writeAssistant(parts: readonly Part[], withThinking: boolean): JsonObject[] {
  const text = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('');
  const thinking = parts.flatMap((part) => (part.kind === 'thinking' ? [part.text] : [])).join('');
  const calls = parts.flatMap((part) =>
    part.kind === 'tool-call' ? [{ id: part.id, type: 'function', function: { name: part.name, arguments: part.input } }] : [],
  );
  if (text === '' && calls.length === 0) return [];
  return [
    {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(withThinking && thinking !== '' && { reasoning_content: thinking }),
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  ];
}

/** A plain string where that is enough: some chat templates know nothing else. */
function writeContent(parts: readonly ResultPart[]): Json {
  const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  if (texts.length === parts.length) return texts.join('\n\n');
  return parts.map((part) => (part.kind === 'text' ? { type: 'text', text: part.text } : writeMedia(part)));
}

function writeMedia({ kind, source, name }: MediaPart): JsonObject {
  const url = urlFromSource(source);
  return kind === 'image'
    ? { type: 'image_url', image_url: { url } }
    : { type: 'file', file: { file_data: url, filename: name ?? 'document' } };
}
