// OpenAI Chat Completions requests, read into the canonical form, with what open servers add (`reasoning_content`).
import { headerSafe, unknownFields } from '../canonical/dropped.ts';
import { sourceFromUrl } from '../canonical/media.ts';
import {
  type CanonicalRequest,
  effortOf,
  type Part,
  type ResultPart,
  type Settings,
  type Tool,
  verbosityOf,
} from '../canonical/request.ts';
import { numbers } from '../canonical/settings.ts';
import { allowedOf, callId, customDescription, customInput, customSchema, type ToolNames } from '../canonical/tool-names.ts';
import { Turns } from '../canonical/turns.ts';
import { type Json, type JsonObject, listOf, objectOf, objectsOf, stringOf } from '../json.ts';

const known = new Set([
  ...['model', 'stream', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_tokens', 'max_completion_tokens', 'temperature'],
  ...['top_p', 'top_k', 'seed', 'frequency_penalty', 'presence_penalty', 'stop', 'reasoning_effort', 'response_format'],
  'verbosity',
  // Accounting, caching and transport.
  ...['stream_options', 'user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
]);

const formats = new Set(['text', 'json_object', 'json_schema']);

export function readRequest(body: JsonObject, names: ToolNames): CanonicalRequest {
  // One answer in text is what everybody gives; more is not to be had elsewhere.
  const isText = listOf(body['modalities']).every((modality) => modality === 'text');
  const dropped = unknownFields({ ...body, ...(body['n'] === 1 && { n: null }), ...(isText && { modalities: null }) }, known);
  const format = stringOf(objectOf(body['response_format'])?.['type']);
  if (format !== undefined && !formats.has(format)) dropped.push('response_format');
  const tools = objectsOf(body['tools']).flatMap((tool) => readTool(tool, names, dropped));
  const system: string[] = [];
  const turns = new Turns();
  for (const message of objectsOf(body['messages'])) readMessage(message, { names, dropped, system, turns });
  return {
    model: stringOf(body['model']) ?? '',
    stream: body['stream'] === true,
    system,
    turns: turns.list,
    tools: allowedOf(tools, readAllowed(body['tool_choice'], names)),
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
  if (name !== undefined && type === 'custom') {
    const grammar = stringOf(objectOf(objectOf(definition?.['format'])?.['grammar'])?.['definition']);
    return [{ name: names.add({ name, isCustom: true }), description: customDescription(description, grammar), schema: customSchema }];
  }
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

/** `allowed_tools`: a choice among some of the tools. */
function readAllowed(choice: Json | undefined, names: ToolNames): ReadonlySet<string> | undefined {
  const allowed = objectOf(objectOf(choice)?.['allowed_tools']);
  if (!allowed) return undefined;
  const definitions = objectsOf(allowed['tools']).map((tool) => objectOf(tool['function']) ?? objectOf(tool['custom']));
  return new Set(definitions.map((tool) => names.add({ name: stringOf(tool?.['name']) ?? '', isCustom: false })));
}

function readSettings(body: JsonObject, names: ToolNames): Settings {
  const choice = objectOf(objectOf(body['tool_choice'])?.['allowed_tools'])?.['mode'] ?? body['tool_choice'];
  const verbosity = verbosityOf(body['verbosity']);
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
    ...(verbosity && { verbosity }),
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
