// The canonical form as a request of OpenAI Chat Completions.
import { urlFromSource } from '../canonical/media.ts';
import { effortIn, isReasoningModel } from '../canonical/openai-model.ts';
import { asReminder, resultText } from '../canonical/parts.ts';
import type { CanonicalRequest, MediaPart, Part, ResultPart, Settings, Tool, Turn } from '../canonical/request.ts';
import { canBeStrict } from '../canonical/schema.ts';
import type { Written } from '../canonical/written.ts';
import type { Json, JsonObject } from '../json.ts';

export function writeRequest(request: CanonicalRequest): Written {
  const { settings, tools, model } = request;
  const hasTools = tools.length > 0;
  // OpenAI's reasoning models refuse the old name and a temperature; local servers know only the old name.
  const isReasoning = isReasoningModel(model);
  const isOpenAi = isReasoning || /^(?:gpt-\d|chatgpt-)/.test(model);
  const stop = settings.stop?.slice(0, 4);
  const effort = settings.reasoning?.isEnabled && (isReasoning || !isOpenAi) ? effortIn(model, settings.reasoning) : undefined;
  const body: JsonObject = {
    model,
    messages: [
      ...(request.system.length > 0 ? [{ role: 'system', content: request.system.join('\n\n') }] : []),
      ...writeTurns(request.turns, !isOpenAi),
    ],
    ...(hasTools && { tools: tools.map(writeTool) }),
    ...(hasTools && settings.toolChoice && { tool_choice: writeToolChoice(settings.toolChoice) }),
    ...(hasTools && settings.parallelTools === false && { parallel_tool_calls: false }),
    ...(settings.maxTokens !== undefined && { [isReasoning ? 'max_completion_tokens' : 'max_tokens']: settings.maxTokens }),
    ...(settings.temperature !== undefined && !isReasoning && { temperature: settings.temperature }),
    ...(settings.topP !== undefined && !isReasoning && { top_p: settings.topP }),
    ...(settings.seed !== undefined && { seed: settings.seed }),
    ...(settings.frequencyPenalty !== undefined && { frequency_penalty: settings.frequencyPenalty }),
    ...(settings.presencePenalty !== undefined && { presence_penalty: settings.presencePenalty }),
    ...(stop && { stop }),
    ...(effort && { reasoning_effort: effort }),
    ...(settings.verbosity && isReasoning && { verbosity: settings.verbosity }),
    ...(settings.answer && { response_format: writeAnswer(settings.answer) }),
    stream: request.stream,
    ...(request.stream && { stream_options: { include_usage: true } }),
  };
  const dropped: (keyof Settings)[] = settings.topK === undefined ? [] : ['topK'];
  if ((settings.stop?.length ?? 0) > 4) dropped.push('stop');
  if (isReasoning && (settings.temperature ?? 1) !== 1) dropped.push('temperature');
  if (isReasoning && (settings.topP ?? 1) !== 1) dropped.push('topP');
  if ((settings.verbosity ?? 'medium') !== 'medium' && !isReasoning) dropped.push('verbosity');
  return { body, dropped };
}

function writeTool({ name, description, schema, strict }: Tool): JsonObject {
  const isStrict = strict === true && canBeStrict(schema);
  return {
    type: 'function',
    function: { name, ...(description && { description }), parameters: schema, ...(isStrict && { strict: true }) },
  };
}

function writeToolChoice(choice: NonNullable<Settings['toolChoice']>): Json {
  if (choice.mode === 'tool') return { type: 'function', function: { name: choice.name } };
  return choice.mode === 'any' ? 'required' : choice.mode;
}

function writeAnswer(answer: NonNullable<Settings['answer']>): JsonObject {
  if (answer.kind === 'json') return { type: 'json_object' };
  const { name, schema, strict } = answer;
  return { type: 'json_schema', json_schema: { name, schema, ...(strict && canBeStrict(schema) && { strict }) } };
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
