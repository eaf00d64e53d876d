// Tools that the provider runs, and references that it resolves by itself: with them data moves to places that no sandbox of ours
// sees. Types that we do not know count as such: a new hosted tool is refused until somebody has looked at it.
import type { Dialect } from '../core/index.ts';
import { field, isVendorFile } from './gemini/field.ts';
import { isObject, type Json, type JsonObject, objectOf, objectsOf, stringOf } from './json.ts';

/** One word per kind; `other:TYPE` for a tool type that is not known here. */
export type ServerTool =
  | 'web_search'
  | 'web_fetch'
  | 'code_interpreter'
  | 'mcp'
  | 'file_search'
  | 'image_generation'
  | 'computer_use'
  | 'file_id'
  | 'image_url'
  | 'document_url'
  | 'stored_state'
  | 'model_choice'
  | `other:${string}`;

/** The kinds that the body asks for, each once, in order of appearance. */
export function serverToolsOf(dialect: Dialect, body: JsonObject): readonly ServerTool[] {
  const found = new Set<ServerTool>();
  // A broker's word for a search with every answer (OpenRouter).
  if (/:online$/i.test(stringOf(body['model'])?.trim() ?? '')) found.add('web_search');
  readers[dialect](body, found);
  return [...found];
}

type Reader = (body: JsonObject, found: Set<ServerTool>) => void;

/** The longest prefix of a tool's type decides; `client` marks what the agent runs itself. */
const toolTypes: readonly (readonly [prefix: string, kind: ServerTool | 'client'])[] = [
  ['function', 'client'],
  ['custom', 'client'],
  ['local_shell', 'client'],
  ['apply_patch', 'client'],
  ['bash_', 'client'],
  ['text_editor_', 'client'],
  ['memory_', 'client'],
  ['computer_', 'client'],
  ['tool_search', 'client'],
  ['web_search', 'web_search'],
  ['web_fetch', 'web_fetch'],
  ['code_execution', 'code_interpreter'],
  ['code_interpreter', 'code_interpreter'],
  ['file_search', 'file_search'],
  ['image_generation', 'image_generation'],
  ['mcp', 'mcp'],
];

/** The declared tools that the provider would run, taken out of a list of tools; what remains is as it was. */
export function withoutServerTools(dialect: Dialect, tools: readonly Json[]): readonly Json[] {
  return tools.flatMap((tool): Json[] => {
    if (!isObject(tool)) return [tool];
    if (dialect === 'gemini') {
      const kept = Object.entries(tool).filter(([key]) => geminiTools[snakeCase(key)] === 'client');
      return kept.length > 0 ? [Object.fromEntries(kept)] : [];
    }
    const inner = tool['type'] === 'namespace' ? tool['tools'] : undefined;
    if (Array.isArray(inner)) {
      const kept = withoutServerTools(dialect, inner as readonly Json[]);
      return kept.length > 0 ? [{ ...tool, tools: kept }] : [];
    }
    const found = new Set<ServerTool>();
    addTool(tool, found);
    return found.size === 0 ? [tool] : [];
  });
}

function addTool(tool: JsonObject, found: Set<ServerTool>): void {
  const type = stringOf(tool['type']) ?? 'function';
  if (type === 'namespace') return addTools(tool['tools'], found);
  // A shell of the agent's own machine is the agent's business; one in a container is the provider's.
  if (type === 'shell') {
    const place = stringOf(objectOf(tool['environment'])?.['type']) ?? 'local';
    if (place !== 'local') found.add('code_interpreter');
    return;
  }
  const kind = toolTypes.find(([prefix]) => type === prefix || (type.startsWith(prefix) && !/^[a-z]/.test(type.slice(prefix.length))))?.[1];
  if (kind !== 'client') found.add(kind ?? `other:${type.replace(/[^\w.-]/g, '?').slice(0, 40)}`);
}

function addTools(tools: Json | undefined, found: Set<ServerTool>): void {
  for (const tool of objectsOf(tools)) addTool(tool, found);
}

const readers: Readonly<Record<Dialect, Reader>> = {
  'anthropic-messages': (body, found) => {
    addTools(body['tools'], found);
    if (objectsOf(body['mcp_servers']).length > 0) found.add('mcp');
    if (body['container'] !== undefined && body['container'] !== null) found.add('code_interpreter');
    walk([body['messages'], body['system']], (block) => {
      const source = objectOf(block['source']);
      if (source?.['type'] === 'url') found.add(block['type'] === 'image' ? 'image_url' : 'document_url');
      if (source?.['type'] === 'file' || block['type'] === 'container_upload') found.add('file_id');
    });
  },

  'openai-chat': (body, found) => {
    addTools(body['tools'], found);
    if (body['web_search_options'] || body['search_parameters'] || body['enable_search'] || objectsOf(body['plugins']).length > 0)
      found.add('web_search');
    // A list of fall-back models lets the upstream choose one that nobody decided on.
    if (body['models'] !== undefined) found.add('model_choice');
    walk([body['messages']], (part) => {
      if (part['type'] === 'image_url' && isRemote(objectOf(part['image_url'])?.['url'] ?? part['image_url'])) found.add('image_url');
      if (part['type'] === 'video_url' && isRemote(objectOf(part['video_url'])?.['url'])) found.add('document_url');
      if (part['type'] === 'file' && objectOf(part['file'])?.['file_id'] !== undefined) found.add('file_id');
    });
  },

  'openai-responses': (body, found) => {
    addTools(body['tools'], found);
    if (body['previous_response_id'] || body['conversation'] || body['prompt']) found.add('stored_state');
    walk([body['input']], (item) => {
      if (item['type'] === 'additional_tools') addTools(item['tools'], found);
      if (item['type'] === 'item_reference') found.add('stored_state');
      if (item['type'] === 'input_image' && isRemote(item['image_url'])) found.add('image_url');
      if (item['type'] === 'input_file' && item['file_url']) found.add('document_url');
      if ((item['type'] === 'input_image' || item['type'] === 'input_file') && item['file_id']) found.add('file_id');
    });
  },

  gemini: (body, found) => {
    for (const tool of objectsOf(body['tools'])) {
      for (const key of Object.keys(tool)) {
        const kind = geminiTools[snakeCase(key)] ?? (`other:${key.replace(/[^\w.-]/g, '?').slice(0, 40)}` as const);
        if (kind !== 'client') found.add(kind);
      }
    }
    if (body['cachedContent'] || body['cached_content']) found.add('stored_state');
    walk([body['contents'], body['systemInstruction'], body['system_instruction']], (part) => {
      const file = objectOf(field(part, 'fileData'));
      if (!file) return;
      const isImage = stringOf(field(file, 'mimeType'))?.startsWith('image/') === true;
      found.add(isVendorFile(stringOf(field(file, 'fileUri')) ?? 'files/x') ? 'file_id' : isImage ? 'image_url' : 'document_url');
    });
  },
};

const geminiTools: Readonly<Record<string, ServerTool | 'client' | undefined>> = {
  function_declarations: 'client',
  google_search: 'web_search',
  google_search_retrieval: 'web_search',
  enterprise_web_search: 'web_search',
  google_maps: 'web_search',
  url_context: 'web_fetch',
  code_execution: 'code_interpreter',
  file_search: 'file_search',
  retrieval: 'file_search',
  computer_use: 'computer_use',
  mcp_servers: 'mcp',
};

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A URL that somebody would have to fetch, as opposed to inline data. */
function isRemote(url: Json | undefined): boolean {
  return typeof url === 'string' && !/^data:/i.test(url);
}

/** Visits content blocks: every object below `roots`, except arguments and schemas of tools, which are the agent's own words. */
function walk(roots: readonly (Json | undefined)[], visit: (object: JsonObject) => void): void {
  const queue: (Json | undefined)[] = [...roots];
  while (queue.length > 0) {
    const value = queue.pop();
    if (Array.isArray(value)) for (const item of value as readonly Json[]) queue.push(item);
    else if (isObject(value)) {
      visit(value);
      for (const [key, inner] of Object.entries(value)) if (!ownWords.has(key) && typeof inner === 'object') queue.push(inner);
    }
  }
}

const ownWords: ReadonlySet<string> = new Set(['input', 'args', 'arguments', 'parameters', 'input_schema', 'functionCall']);
