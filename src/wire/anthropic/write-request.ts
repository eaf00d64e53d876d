// The canonical form as a request of Anthropic Messages.
import { droppedSettings } from '../canonical/dropped.ts';
import { asReminder, inputObject } from '../canonical/parts.ts';
import type { CanonicalRequest, MediaPart, Part, Settings } from '../canonical/request.ts';
import { closedSchema } from '../canonical/schema.ts';
import type { Written } from '../canonical/written.ts';
import type { JsonObject } from '../json.ts';
import { defaultMaxTokens, isOwnThinking, writeSettings } from './write-settings.ts';

export function writeRequest(request: CanonicalRequest): Written {
  const { settings } = request;
  const system = request.system.filter((text) => text.trim() !== '');
  const { fields, effort, dropped: refused } = writeSettings(request);
  const format = settings.answer?.kind === 'schema' ? closedSchema(settings.answer.schema) : undefined;
  const dropped = [...droppedSettings(settings, ['seed', 'frequencyPenalty', 'presencePenalty']), ...refused];
  if (settings.answer?.kind === 'json' || format?.isLoose) dropped.push('answer');
  if ((settings.verbosity ?? 'medium') !== 'medium') dropped.push('verbosity');
  const hasTools = request.tools.length > 0;
  const body: JsonObject = {
    model: request.model,
    max_tokens: settings.maxTokens ?? defaultMaxTokens,
    ...(system.length > 0 && { system: system.map((text) => ({ type: 'text', text })) }),
    messages: writeTurns(request),
    ...(hasTools && {
      tools: request.tools.map(({ name, description, schema }) => ({
        name,
        ...(description && { description }),
        input_schema: objectSchema(schema),
      })),
    }),
    ...(hasTools && writeToolChoice(settings)),
    ...(settings.stop && { stop_sequences: settings.stop }),
    ...fields,
    ...((effort || format) && {
      output_config: { ...(effort && { effort }), ...(format && { format: { type: 'json_schema', schema: format.schema } }) },
    }),
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
      // Empty text blocks are refused, and those of blank space alone, which models write before a call.
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text }];
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
      const said = part.parts.flatMap(writePart);
      // A failure without a word is refused.
      const content = part.isError && said.length === 0 ? [{ type: 'text', text: 'Error' }] : said;
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
