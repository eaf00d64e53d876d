// OpenAI Responses requests, read into the canonical form; with what Codex sends: namespaces, freeform tools, tools inside the input.
import { IntramurError } from '../../core/index.ts';
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
import { signedThinking, unwrapSignature } from '../canonical/signature.ts';
import { allowedOf, callId, customDescription, customInput, customSchema, type ToolNames } from '../canonical/tool-names.ts';
import { Turns } from '../canonical/turns.ts';
import { type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../json.ts';

const known = new Set([
  ...[
    'model',
    'stream',
    'instructions',
    'input',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'max_output_tokens',
    'temperature',
    'top_p',
  ],
  ...['reasoning', 'text'],
  // Accounting, caching and transport; `include` asks for more of the vendor's own fields.
  ...['store', 'include', 'metadata', 'user', 'service_tier', 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'],
  ...['client_metadata', 'stream_options', 'truncation', 'max_tool_calls'],
]);

/** How much of its thinking the vendor shows or keeps is its own matter. */
const knownReasoning = new Set(['effort', 'summary', 'generate_summary', 'context']);
const knownText = new Set(['format', 'verbosity']);
const formats = new Set(['text', 'json_object', 'json_schema']);

/** What only the vendor's store knows: without it there is no conversation to translate. */
const stored = ['previous_response_id', 'conversation', 'prompt'] as const;

interface Reading {
  readonly names: ToolNames;
  readonly dropped: string[];
  readonly system: string[];
  readonly turns: Turns;
  readonly tools: Tool[];
}

export function readRequest(body: JsonObject, names: ToolNames): CanonicalRequest {
  for (const field of stored)
    if (body[field]) throw new IntramurError('DIALECT_LOSSY', `"${field}" refers to what only its own vendor holds`);
  const instructions = stringOf(body['instructions']);
  const reading: Reading = {
    names,
    dropped: [
      ...unknownFields(body, known),
      ...unknownFields(objectOf(body['reasoning']), knownReasoning, 'reasoning.'),
      ...unknownFields(objectOf(body['text']), knownText, 'text.'),
    ],
    system: instructions ? [instructions] : [],
    turns: new Turns(),
    tools: [],
  };
  const format = stringOf(objectOf(objectOf(body['text'])?.['format'])?.['type']);
  if (format !== undefined && !formats.has(format)) reading.dropped.push('text.format');
  readTools(body['tools'], reading);
  const { input } = body;
  const items = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : objectsOf(input);
  for (const item of items) readItem(item, reading);
  return {
    model: stringOf(body['model']) ?? '',
    stream: body['stream'] === true,
    system: reading.system,
    turns: reading.turns.list,
    tools: allowedOf(reading.tools, readAllowed(body['tool_choice'], names)),
    settings: readSettings(body, names),
    dropped: [...new Set(reading.dropped)],
  };
}

function readTools(tools: Json | undefined, reading: Reading, namespace?: string): void {
  for (const tool of objectsOf(tools)) {
    const name = stringOf(tool['name']);
    if (tool['type'] === 'namespace') readTools(tool['tools'], reading, name);
    else if (name !== undefined && (tool['type'] === 'function' || tool['type'] === 'custom'))
      reading.tools.push(readTool(tool, name, namespace, reading.names));
    else reading.dropped.push(`tools.${headerSafe(stringOf(tool['type']) ?? 'unknown')}`);
  }
}

function readTool(tool: JsonObject, name: string, namespace: string | undefined, names: ToolNames): Tool {
  const isCustom = tool['type'] === 'custom';
  const wire = names.add({ name, ...(namespace !== undefined && { namespace }), isCustom });
  const description = stringOf(tool['description']);
  if (!isCustom)
    return {
      name: wire,
      description,
      schema: objectOf(tool['parameters']) ?? { type: 'object', properties: {} },
      ...(tool['strict'] === true && { strict: true }),
    };
  const grammar = stringOf(objectOf(tool['format'])?.['definition']);
  return {
    name: wire,
    description: customDescription(description, grammar),
    schema: customSchema,
  };
}

function readItem(item: JsonObject, reading: Reading): void {
  const { names, turns, dropped, system } = reading;
  const id = callId(stringOf(item['call_id']) ?? stringOf(item['id']) ?? '');
  const toolName = toolNameOf(item);
  switch (item['type'] ?? 'message') {
    case 'message': {
      const parts = readContent(item['content'], dropped);
      if (item['role'] === 'assistant') turns.add('assistant', parts);
      else if (item['role'] === 'user') turns.add('user', parts);
      else if (turns.isEmpty) system.push(...parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])));
      else turns.add('system', parts);
      return;
    }
    case 'reasoning':
      turns.add('assistant', [readReasoningItem(item)]);
      return;
    case 'function_call':
      turns.add('assistant', [
        { kind: 'tool-call', id, name: names.add({ ...toolName, isCustom: false }), input: stringOf(item['arguments']) || '{}' },
      ]);
      return;
    case 'custom_tool_call':
      turns.add('assistant', [
        { kind: 'tool-call', id, name: names.add({ ...toolName, isCustom: true }), input: customInput(stringOf(item['input']) ?? '') },
      ]);
      return;
    case 'function_call_output':
    case 'custom_tool_call_output':
      turns.add('user', [{ kind: 'tool-result', id, parts: readContent(item['output'], dropped), isError: false }]);
      return;
    case 'additional_tools':
      readTools(item['tools'], reading);
      return;
    case 'compaction':
    case 'compaction_summary':
      throw new IntramurError('DIALECT_LOSSY', 'a "compaction" holds the conversation in a form that only its own vendor reads');
    case 'item_reference':
      throw new IntramurError('DIALECT_LOSSY', 'an "item_reference" refers to what only its own vendor holds');
    default:
      dropped.push(`input.${headerSafe(stringOf(item['type']) ?? 'unknown')}`);
  }
}

function readReasoningItem(item: JsonObject): Part {
  const text = objectsOf(item['summary'])
    .concat(objectsOf(item['content']))
    .flatMap((part) => stringOf(part['text']) ?? [])
    .join('\n\n');
  const encrypted = stringOf(item['encrypted_content']);
  if (encrypted === undefined) return { kind: 'thinking', text };
  const signature = unwrapSignature(encrypted, 'openai-responses');
  const id = stringOf(item['id']);
  return signedThinking(text, signature.dialect === 'openai-responses' && id !== undefined ? { ...signature, id } : signature);
}

function readContent(content: Json | undefined, dropped: string[]): ResultPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  return objectsOf(content).flatMap((part): ResultPart[] => {
    const text = stringOf(part['text']) ?? stringOf(part['refusal']);
    if (text !== undefined) return [{ kind: 'text', text }];
    const image = stringOf(part['image_url']);
    if (part['type'] === 'input_image' && image !== undefined) return [{ kind: 'image', source: sourceFromUrl(image) }];
    const file = stringOf(part['file_data']) ?? stringOf(part['file_url']);
    const name = stringOf(part['filename']);
    if (part['type'] === 'input_file' && file !== undefined)
      return [{ kind: 'document', source: sourceFromUrl(file), ...(name !== undefined && { name }) }];
    dropped.push(`input.${headerSafe(stringOf(part['type']) ?? 'unknown')}`);
    return [];
  });
}

/** `allowed_tools`: a choice among some of the tools. */
function readAllowed(choice: Json | undefined, names: ToolNames): ReadonlySet<string> | undefined {
  const chosen = objectOf(choice);
  if (chosen?.['type'] !== 'allowed_tools') return undefined;
  return new Set(objectsOf(chosen['tools']).map((tool) => names.add({ ...toolNameOf(tool), isCustom: false })));
}

function toolNameOf(tool: JsonObject): { readonly name: string; readonly namespace?: string } {
  const name = stringOf(tool['name']) ?? '';
  return { name, ...(typeof tool['namespace'] === 'string' && { namespace: tool['namespace'] }) };
}

function readSettings(body: JsonObject, names: ToolNames): Settings {
  const chosen = objectOf(body['tool_choice']);
  const choice = chosen?.['type'] === 'allowed_tools' ? chosen['mode'] : body['tool_choice'];
  const chosenName = chosen?.['type'] === 'function' || chosen?.['type'] === 'custom' ? stringOf(chosen['name']) : undefined;
  const stated = stringOf(objectOf(body['reasoning'])?.['effort']);
  const effort = effortOf(stated);
  const verbosity = verbosityOf(objectOf(body['text'])?.['verbosity']);
  const format = objectOf(objectOf(body['text'])?.['format']);
  const schema = objectOf(format?.['schema']);
  return {
    ...numbers(body, { max_output_tokens: 'maxTokens', temperature: 'temperature', top_p: 'topP' }),
    ...((choice === 'auto' || choice === 'none') && { toolChoice: { mode: choice } }),
    ...(choice === 'required' && { toolChoice: { mode: 'any' } }),
    ...(chosenName !== undefined && {
      toolChoice: { mode: 'tool', name: names.add({ ...toolNameOf(chosen ?? {}), isCustom: chosen?.['type'] === 'custom' }) },
    }),
    ...(body['parallel_tool_calls'] === false && { parallelTools: false }),
    ...(effort !== undefined && { reasoning: { isEnabled: true, effort } }),
    ...(stated === 'none' && { reasoning: { isEnabled: false } }),
    ...(verbosity && { verbosity }),
    ...(format?.['type'] === 'json_object' && { answer: { kind: 'json' } }),
    ...(schema && {
      answer: {
        kind: 'schema',
        name: stringOf(format?.['name']) ?? 'answer',
        schema,
        ...(format?.['strict'] === true && { strict: true }),
      },
    }),
  };
}
