// The canonical form as a request of OpenAI Responses.
import { droppedSettings } from '../canonical/dropped.ts';
import { urlFromSource } from '../canonical/media.ts';
import { effortIn } from '../canonical/openai-model.ts';
import { resultText } from '../canonical/parts.ts';
import type { CanonicalRequest, MediaPart, Part, Settings, Turn } from '../canonical/request.ts';
import { canBeStrict } from '../canonical/schema.ts';
import type { Written } from '../canonical/written.ts';
import type { JsonObject } from '../json.ts';

export function writeRequest(request: CanonicalRequest): Written {
  const { settings, tools } = request;
  const { reasoning, answer, toolChoice } = settings;
  const hasTools = tools.length > 0;
  const effort = reasoning && effortIn(request.model, reasoning);
  const body: JsonObject = {
    model: request.model,
    ...(request.system.length > 0 && { instructions: request.system.join('\n\n') }),
    input: request.turns.flatMap((turn) => writeTurn(turn)),
    ...(hasTools && {
      tools: tools.map(({ name, description, schema, strict }) => ({
        type: 'function',
        name,
        ...(description && { description }),
        parameters: schema,
        strict: strict === true && canBeStrict(schema),
      })),
    }),
    ...(hasTools &&
      toolChoice && {
        tool_choice:
          toolChoice.mode === 'tool'
            ? { type: 'function', name: toolChoice.name }
            : toolChoice.mode === 'any'
              ? 'required'
              : toolChoice.mode,
      }),
    ...(hasTools && settings.parallelTools === false && { parallel_tool_calls: false }),
    // The least that is accepted.
    ...(settings.maxTokens !== undefined && { max_output_tokens: Math.max(16, settings.maxTokens) }),
    ...(settings.temperature !== undefined && { temperature: settings.temperature }),
    ...(settings.topP !== undefined && { top_p: settings.topP }),
    ...(reasoning?.isEnabled && {
      reasoning: { ...(effort && { effort }), summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    }),
    ...((answer || settings.verbosity) && {
      text: { ...(answer && { format: writeFormat(answer) }), ...(settings.verbosity && { verbosity: settings.verbosity }) },
    }),
    // Nothing stays with the vendor that the client did not ask for.
    store: false,
    stream: request.stream,
  };
  return { body, dropped: droppedSettings(settings, ['topK', 'seed', 'frequencyPenalty', 'presencePenalty', 'stop']) };
}

function writeFormat(answer: NonNullable<Settings['answer']>): JsonObject {
  if (answer.kind === 'json') return { type: 'json_object' };
  return {
    type: 'json_schema',
    name: answer.name,
    schema: answer.schema,
    ...(answer.strict && canBeStrict(answer.schema) && { strict: true }),
  };
}

function writeTurn({ role, parts }: Turn): JsonObject[] {
  const items: JsonObject[] = [];
  let content: JsonObject[] = [];
  const flush = (): void => {
    if (content.length > 0) items.push({ type: 'message', role: role === 'system' ? 'developer' : role, content });
    content = [];
  };
  for (const part of parts) {
    const item = writeItem(part);
    if (item) {
      flush();
      items.push(item);
    } else if (part.kind === 'text' && part.text !== '')
      content.push({ type: role === 'assistant' ? 'output_text' : 'input_text', text: part.text });
    else if (part.kind === 'image' || part.kind === 'document') content.push(writeMedia(part));
  }
  flush();
  return items;
}

/** Parts that are items of their own; thinking of another vendor is left out. */
function writeItem(part: Part): JsonObject | undefined {
  switch (part.kind) {
    case 'tool-call':
      return { type: 'function_call', call_id: part.id, name: part.name, arguments: part.input };
    case 'tool-result': {
      const media = part.parts.flatMap((inner) => (inner.kind === 'text' ? [] : [writeMedia(inner)]));
      const text = resultText(part);
      const output = media.length === 0 ? text : [...(text === '' ? [] : [{ type: 'input_text', text }]), ...media];
      return { type: 'function_call_output', call_id: part.id, output };
    }
    case 'thinking': {
      const { signature, text } = part;
      if (signature?.dialect !== 'openai-responses') return undefined;
      const summary = text === '' ? [] : [{ type: 'summary_text', text }];
      return { type: 'reasoning', ...(signature.id !== undefined && { id: signature.id }), summary, encrypted_content: signature.value };
    }
    default:
      return undefined;
  }
}

function writeMedia({ kind, source, name }: MediaPart): JsonObject {
  const url = urlFromSource(source);
  if (kind === 'image') return { type: 'input_image', image_url: url };
  return { type: 'input_file', ...('url' in source ? { file_url: url } : { file_data: url, filename: name ?? 'document' }) };
}
