// The canonical form as a request of Anthropic Messages.
import { droppedSettings } from '../canonical/dropped.ts';
import { asReminder, inputObject } from '../canonical/parts.ts';
import type { CanonicalRequest, MediaPart, Part, Settings } from '../canonical/request.ts';
import { closedSchema } from '../canonical/schema.ts';
import type { Written } from '../canonical/written.ts';
import type { JsonObject } from '../json.ts';

/** `max_tokens` is required; most models of today allow this much. */
const defaultMaxTokens = 32_000;

export function writeRequest(request: CanonicalRequest): Written {
  const { settings } = request;
  const reasoning = writeReasoning(request);
  const system = request.system.filter((text) => text.trim() !== '');
  const dropped = droppedSettings(settings, ['seed', 'frequencyPenalty', 'presencePenalty']);
  const format = settings.answer?.kind === 'schema' ? closedSchema(settings.answer.schema) : undefined;
  if (settings.answer?.kind === 'json' || format?.isLoose) dropped.push('answer');
  if ((settings.temperature ?? 1) !== 1 && (reasoning || (settings.temperature ?? 1) > 1)) dropped.push('temperature');
  // Models of today take a temperature or a top_p, not both; thinking takes neither.
  const hasTopP = settings.topP !== undefined && (settings.temperature ?? 1) === 1 && !reasoning;
  if (!hasTopP && (settings.topP ?? 1) !== 1) dropped.push('topP');
  if (settings.topK !== undefined && reasoning) dropped.push('topK');
  if (settings.reasoning?.isEnabled && !reasoning) dropped.push('reasoning');
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
    // The scale ends at 1 here and at 2 elsewhere; thinking allows no other temperature than 1.
    ...(settings.temperature !== undefined && !hasTopP && !reasoning && { temperature: Math.min(settings.temperature, 1) }),
    ...(hasTopP && { top_p: settings.topP }),
    ...(settings.topK !== undefined && !reasoning && { top_k: settings.topK }),
    ...(settings.stop && { stop_sequences: settings.stop }),
    ...reasoning,
    ...writeOutputConfig(settings, reasoning !== undefined, format?.schema),
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

function writeOutputConfig({ reasoning }: Settings, isThinking: boolean, schema: JsonObject | undefined): { output_config?: JsonObject } {
  const effort = isThinking && reasoning?.effort !== undefined ? (reasoning.effort === 'minimal' ? 'low' : reasoning.effort) : undefined;
  const config = {
    ...(effort !== undefined && { effort }),
    ...(schema && { format: { type: 'json_schema', schema } }),
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
