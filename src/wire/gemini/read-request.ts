// Gemini generateContent requests, read into the canonical form (ai.google.dev, "generateContent", "Thought signatures").
import { IntramurError } from '../../core/index.ts';
import { headerSafe, unknownFields } from '../canonical/dropped.ts';
import {
  type CanonicalRequest,
  effortOf,
  type MediaPart,
  type Part,
  type Reasoning,
  type ResultPart,
  type Settings,
  type Tool,
} from '../canonical/request.ts';
import { numbers } from '../canonical/settings.ts';
import { signedThinking, unwrapSignature } from '../canonical/signature.ts';
import { allowedOf, callId, type ToolNames } from '../canonical/tool-names.ts';
import { Turns } from '../canonical/turns.ts';
import { isObject, type Json, type JsonObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../json.ts';
import { field, isVendorFile, noSignature, snake } from './field.ts';

const known = both(
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'labels',
  'store',
);
const knownConfig = both(
  ...['maxOutputTokens', 'temperature', 'topP', 'topK', 'seed', 'frequencyPenalty', 'presencePenalty', 'stopSequences', 'thinkingConfig'],
  ...['responseMimeType', 'responseSchema', 'responseJsonSchema'],
);

function both(...names: readonly string[]): ReadonlySet<string> {
  return new Set(names.flatMap((name) => [name, snake(name)]));
}

/** @param model from the path */
export function readRequest(body: JsonObject, names: ToolNames, model: string, stream: boolean): CanonicalRequest {
  if (field(body, 'cachedContent')) throw new IntramurError('DIALECT_LOSSY', '"cachedContent" refers to what only its own vendor holds');
  const config = objectOf(field(body, 'generationConfig')) ?? {};
  const modalities = listOf(field(config, 'responseModalities'));
  const dropped = [
    ...unknownFields(body, known),
    ...unknownFields(
      {
        ...config,
        responseModalities: modalities.every((item) => item === 'TEXT') ? null : modalities,
        candidateCount: config['candidateCount'] === 1 ? null : config['candidateCount'],
      },
      knownConfig,
      'generationConfig.',
    ),
  ];
  const tools = objectsOf(body['tools']).flatMap((tool) => readTools(tool, names, dropped));
  const turns = new Turns();
  const calls = new PendingCalls();
  for (const content of objectsOf(body['contents'])) {
    const role = content['role'] === 'model' ? 'assistant' : 'user';
    turns.add(
      role,
      objectsOf(content['parts']).flatMap((part) => readPart(part, { names, calls, dropped })),
    );
  }
  const systemInstruction = field(body, 'systemInstruction');
  const system =
    typeof systemInstruction === 'string'
      ? [systemInstruction]
      : objectsOf(objectOf(systemInstruction)?.['parts']).flatMap((part) => stringOf(part['text']) ?? []);
  const offered = allowedOf(tools, readAllowed(body, names));
  return {
    model,
    stream,
    system,
    turns: turns.list,
    tools: offered,
    settings: readSettings(body, config, names),
    dropped: [...new Set(dropped)],
  };
}

function readTools(tool: JsonObject, names: ToolNames, dropped: string[]): Tool[] {
  for (const key of Object.keys(tool)) if (snake(key) !== 'function_declarations') dropped.push(`tools.${headerSafe(key)}`);
  return objectsOf(field(tool, 'functionDeclarations')).map((declaration) => ({
    name: names.add({ name: stringOf(declaration['name']) ?? '', isCustom: false }),
    description: stringOf(declaration['description']),
    schema: objectOf(field(declaration, 'parametersJsonSchema')) ??
      jsonSchema(objectOf(declaration['parameters'])) ?? { type: 'object', properties: {} },
  }));
}

/** Numbers that Google's schema language writes as text, as its JSON does with all numbers of 64 bits. */
const longs = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']);

/** Google's own schema language writes types in capitals and says `nullable`; otherwise it is a part of JSON Schema. */
function jsonSchema(schema: JsonObject | undefined): JsonObject | undefined {
  if (!schema) return undefined;
  const convert = (value: Json | undefined): Json => {
    if (Array.isArray(value)) return (value as readonly Json[]).map(convert);
    if (!isObject(value)) return value ?? null;
    const type = typeof value['type'] === 'string' ? value['type'].toLowerCase() : undefined;
    const isNullable = value['nullable'] === true && type !== undefined;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, inner]): [string, Json][] => {
        if (key === 'type' && type !== undefined) return type === 'type_unspecified' ? [] : [[key, isNullable ? [type, 'null'] : type]];
        if (key === 'nullable' && isNullable) return [];
        if (key === 'enum' && isNullable && Array.isArray(inner)) return [[key, [...(inner as readonly Json[]), null]]];
        if (longs.has(key) && typeof inner === 'string' && /^\d{1,9}$/.test(inner)) return [[key, Number(inner)]];
        return [[key, convert(inner)]];
      }),
    );
  };
  return objectOf(convert(schema));
}

/** Older clients give calls no ids: results are then matched by name, in order. */
class PendingCalls {
  #count = 0;
  readonly #open: { id: string; name: string }[] = [];

  call(stated: string | undefined, name: string): string {
    const id = callId(stated ?? `call_${this.#count++}`);
    this.#open.push({ id, name });
    return id;
  }

  result(stated: string | undefined, name: string): string {
    const at = this.#open.findIndex((call) => (stated === undefined ? call.name === name : call.id === callId(stated)));
    const [call] = at < 0 ? [] : this.#open.splice(at, 1);
    return call?.id ?? callId(stated ?? `call_${this.#count++}`);
  }
}

interface Reading {
  readonly names: ToolNames;
  readonly calls: PendingCalls;
  readonly dropped: string[];
}

function readPart(part: JsonObject, reading: Reading): Part[] {
  const stated = stringOf(field(part, 'thoughtSignature'));
  const signature = stated === undefined || stated === noSignature ? undefined : unwrapSignature(stated, 'gemini');
  const text = stringOf(part['text']);
  if (part['thought'] === true) return [signedThinking(text ?? '', signature)];
  const signed = signature ? [signedThinking('', signature)] : [];
  return [...signed, ...readUnsigned(part, text, reading)];
}

function readUnsigned(part: JsonObject, text: string | undefined, { names, calls, dropped }: Reading): Part[] {
  if (text !== undefined) return text === '' ? [] : [{ kind: 'text', text }];
  const call = objectOf(field(part, 'functionCall'));
  if (call) {
    const name = stringOf(call['name']) ?? '';
    const id = calls.call(stringOf(call['id']), name);
    return [{ kind: 'tool-call', id, name: names.add({ name, isCustom: false }), input: JSON.stringify(call['args'] ?? {}) }];
  }
  const result = objectOf(field(part, 'functionResponse'));
  if (result) {
    const id = calls.result(stringOf(result['id']), stringOf(result['name']) ?? '');
    const media = objectsOf(result['parts']).flatMap((inner) => readMedia(inner) ?? []);
    return [{ kind: 'tool-result', id, ...readResponse(result['response'], media) }];
  }
  const media = readMedia(part);
  if (media) return [media];
  dropped.push(`contents.${headerSafe(Object.keys(part)[0] ?? 'empty')}`);
  return [];
}

function readResponse(response: Json | undefined, media: readonly MediaPart[]): { parts: ResultPart[]; isError: boolean } {
  const { output, error, ...rest } = objectOf(response) ?? {};
  const isPlain = Object.keys(rest).length === 0;
  const text =
    isPlain && typeof output === 'string' ? output : isPlain && typeof error === 'string' ? error : JSON.stringify(response ?? {});
  return { parts: [{ kind: 'text', text }, ...media], isError: isPlain && error !== undefined && output === undefined };
}

function readMedia(part: JsonObject): MediaPart | undefined {
  const inline = objectOf(field(part, 'inlineData'));
  const file = objectOf(field(part, 'fileData'));
  const mediaType = stringOf(field(inline ?? file, 'mimeType')) ?? '';
  const kind = mediaType.startsWith('image/') ? 'image' : 'document';
  const base64 = stringOf(inline?.['data']);
  if (base64 !== undefined) return { kind, source: { mediaType, base64 } };
  const url = stringOf(field(file, 'fileUri'));
  // What only its own vendor holds is an address to nobody else.
  return url === undefined || isVendorFile(url) ? undefined : { kind, source: { url } };
}

function callingOf(body: JsonObject): JsonObject | undefined {
  return objectOf(field(objectOf(field(body, 'toolConfig')), 'functionCallingConfig'));
}

/** The only one that must be called is the choice of a tool, and the others stay on offer. */
function readAllowed(body: JsonObject, names: ToolNames): ReadonlySet<string> | undefined {
  const calling = callingOf(body);
  const allowed = listOf(field(calling, 'allowedFunctionNames')).filter((name) => typeof name === 'string');
  const isChoice = allowed.length === 1 && stringOf(calling?.['mode'])?.toLowerCase() === 'any';
  return allowed.length === 0 || isChoice ? undefined : new Set(allowed.map((name) => names.add({ name, isCustom: false })));
}

function readSettings(body: JsonObject, config: JsonObject, names: ToolNames): Settings {
  const calling = callingOf(body);
  const allowed = listOf(field(calling, 'allowedFunctionNames'));
  const only = allowed.length === 1 ? stringOf(allowed[0]) : undefined;
  const stated = stringOf(calling?.['mode'])?.toLowerCase();
  // Calls that fit their schema, or none: what the others call `auto`.
  const mode = stated === 'validated' ? 'auto' : stated;
  const stop = listOf(field(config, 'stopSequences')).filter((item) => typeof item === 'string');
  const reasoning = readReasoning(objectOf(field(config, 'thinkingConfig')));
  const schema = objectOf(field(config, 'responseJsonSchema')) ?? jsonSchema(objectOf(field(config, 'responseSchema')));
  const camel = Object.fromEntries(
    Object.keys(config).map((key) => [key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase()), config[key]]),
  );
  return {
    ...numbers(camel, {
      maxOutputTokens: 'maxTokens',
      temperature: 'temperature',
      topP: 'topP',
      topK: 'topK',
      seed: 'seed',
      frequencyPenalty: 'frequencyPenalty',
      presencePenalty: 'presencePenalty',
    }),
    ...(stop.length > 0 && { stop }),
    ...(mode === 'any' && only !== undefined && { toolChoice: { mode: 'tool', name: names.add({ name: only, isCustom: false }) } }),
    ...((mode === 'auto' || mode === 'none' || (mode === 'any' && only === undefined)) && { toolChoice: { mode } }),
    ...(reasoning && { reasoning }),
    ...(schema
      ? { answer: { kind: 'schema', name: 'answer', schema } }
      : camel['responseMimeType'] === 'application/json' && { answer: { kind: 'json' } }),
  };
}

function readReasoning(config: JsonObject | undefined): Reasoning | undefined {
  if (!config) return undefined;
  const budgetTokens = numberOf(field(config, 'thinkingBudget'));
  if (budgetTokens === 0) return { isEnabled: false };
  const effort = effortOf(stringOf(field(config, 'thinkingLevel'))?.toLowerCase());
  // A budget of -1 leaves it to the model.
  return { isEnabled: true, ...(effort && { effort }), ...(budgetTokens !== undefined && budgetTokens > 0 && { budgetTokens }) };
}
