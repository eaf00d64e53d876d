// Reads a model request the way a model server would, in any of the four dialects. Independent of src/wire on purpose: the kit is
// what wire is tested against.
import type { Dialect } from '../core/index.ts';
import type { ModelRequest, OfferedTool } from './script.ts';

type Obj = Readonly<Record<string, unknown>>;

export interface RequestLine {
  readonly dialect: Dialect;
  readonly kind: 'invoke' | 'count-tokens';
  readonly model?: string;
  readonly stream?: boolean;
  readonly asJsonArray: boolean;
}

/** Dialect and kind of call by path, with or without a prefix before it. */
export function readRequestLine(target: string): RequestLine | undefined {
  const url = new URL(target, 'http://rehearsal.invalid');
  const asJsonArray = false;
  if (url.pathname.endsWith('/messages/count_tokens')) return { dialect: 'anthropic-messages', kind: 'count-tokens', asJsonArray };
  if (url.pathname.endsWith('/messages')) return { dialect: 'anthropic-messages', kind: 'invoke', asJsonArray };
  if (url.pathname.endsWith('/chat/completions')) return { dialect: 'openai-chat', kind: 'invoke', asJsonArray };
  if (url.pathname.endsWith('/responses')) return { dialect: 'openai-responses', kind: 'invoke', asJsonArray };
  const [, model, verb] = /\/models\/([^/]+):(\w+)$/.exec(url.pathname) ?? [];
  if (model === undefined || verb === undefined) return undefined;
  const stream = verb === 'streamGenerateContent';
  return {
    dialect: 'gemini',
    kind: verb === 'countTokens' ? 'count-tokens' : 'invoke',
    model: decodeURIComponent(model),
    stream,
    asJsonArray: stream && url.searchParams.get('alt') !== 'sse',
  };
}

export function readRequest(line: RequestLine, text: string): ModelRequest {
  const body = obj(JSON.parse(text));
  const answerSchema = schemaOf(line.dialect, body);
  return {
    dialect: line.dialect,
    model: line.model ?? String(body['model']),
    stream: line.stream ?? body['stream'] === true,
    asJsonArray: line.asJsonArray,
    tools: toolsOf(line.dialect, body),
    turn: turnOf(line.dialect, body),
    ...(answerSchema !== undefined && { answerSchema }),
    text: strings(body).join('\n'),
    body,
  };
}

function toolsOf(dialect: Dialect, body: Obj): OfferedTool[] {
  const tools = list(body['tools']);
  switch (dialect) {
    case 'anthropic-messages':
      return tools.flatMap((tool) => (tool['input_schema'] ? [offered(tool['name'], tool['input_schema'])] : []));
    case 'openai-chat':
      return tools.flatMap((tool) => {
        const definition = obj(tool[String(tool['type'])]);
        return definition['name'] === undefined ? [] : [offered(definition['name'], definition['parameters'], tool['type'] === 'custom')];
      });
    case 'openai-responses': {
      const additional = list(body['input']).filter((item) => item['type'] === 'additional_tools');
      return [...tools, ...additional.flatMap((item) => list(item['tools']))].flatMap((tool) => responsesTool(tool));
    }
    case 'gemini':
      return tools
        .flatMap((tool) => list(tool['functionDeclarations']))
        .map((tool) => offered(tool['name'], tool['parametersJsonSchema'] ?? tool['parameters']));
  }
}

function responsesTool(tool: Obj, namespace?: string): OfferedTool[] {
  if (tool['type'] === 'namespace') return list(tool['tools']).flatMap((inner) => responsesTool(inner, String(tool['name'])));
  if (tool['type'] !== 'function' && tool['type'] !== 'custom') return [];
  return [{ ...offered(tool['name'], tool['parameters'], tool['type'] === 'custom'), ...(namespace !== undefined && { namespace }) }];
}

function offered(name: unknown, schema: unknown, isCustom = false): OfferedTool {
  const { properties, required } = obj(schema);
  return {
    name: String(name),
    kind: isCustom ? 'custom' : 'function',
    properties: obj(properties),
    required: Array.isArray(required) ? required.map(String) : [],
  };
}

function turnOf(dialect: Dialect, body: Obj): number {
  switch (dialect) {
    case 'anthropic-messages':
      return list(body['messages']).filter((m) => m['role'] === 'assistant' && list(m['content']).some((b) => b['type'] === 'tool_use'))
        .length;
    case 'openai-chat':
      return list(body['messages']).filter((m) => list(m['tool_calls']).length > 0).length;
    case 'gemini':
      return list(body['contents']).filter((c) => c['role'] === 'model' && list(c['parts']).some((p) => p['functionCall'])).length;
    case 'openai-responses': {
      // Calls in a row belong to one turn.
      const isCall = list(body['input']).map((item) => item['type'] === 'function_call' || item['type'] === 'custom_tool_call');
      return isCall.filter((is, i) => is && !isCall[i - 1]).length;
    }
  }
}

function schemaOf(dialect: Dialect, body: Obj): unknown {
  switch (dialect) {
    case 'anthropic-messages':
      return obj(obj(body['output_config'])['format'] ?? body['output_format'])['schema'];
    case 'openai-chat':
      return obj(obj(body['response_format'])['json_schema'])['schema'];
    case 'openai-responses':
      return obj(obj(body['text'])['format'])['schema'];
    case 'gemini': {
      const config = obj(body['generationConfig']);
      return config['responseJsonSchema'] ?? config['responseSchema'];
    }
  }
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(strings);
}

export function obj(value: unknown): Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Obj) : {};
}

function list(value: unknown): Obj[] {
  return Array.isArray(value) ? value.map(obj) : [];
}
