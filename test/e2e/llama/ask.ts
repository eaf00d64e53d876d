// The same question in each dialect, and what an answer says, read by hand: not by the product that is tested.

export const dialects = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const;
type Dialect = (typeof dialects)[number];

export interface Asked {
  readonly model: string;
  readonly stream: boolean;
  readonly user: string;
  /** Must it call the tool, of this name with these parameters? */
  readonly tool?: { readonly name: string; readonly parameters: object } | undefined;
  /** The tool was called before, and this is what it gave. */
  readonly result?: string | undefined;
  /** The answer is JSON of this shape. */
  readonly shape?: object | undefined;
  readonly most?: number | undefined;
}

export interface Call {
  readonly name: string;
  readonly input: unknown;
}

interface Reading {
  readonly calls: Call[];
  readonly text: string;
  /** It was said that it ended. */
  readonly isWhole: boolean;
}

const colour = { colour: 'red' };
type Json = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- foreign answers, read as they come

export const pathOf = (dialect: Dialect, { model, stream }: Asked): string =>
  ({
    'openai-chat': '/v1/chat/completions',
    'openai-responses': '/v1/responses',
    'anthropic-messages': '/v1/messages',
    gemini: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  })[dialect];

export function bodyOf(dialect: Dialect, { model, stream, user, tool, result, shape, most = 1000 }: Asked): object {
  const name = tool?.name;
  switch (dialect) {
    case 'openai-chat':
      return {
        model,
        stream,
        max_tokens: most,
        messages: [
          { role: 'user', content: user },
          ...(result === undefined
            ? []
            : [
                { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name, arguments: JSON.stringify(colour) } }] },
                { role: 'tool', tool_call_id: 'c1', content: result },
              ]),
        ],
        ...(tool ? { tool_choice: 'required', tools: [{ type: 'function', function: tool }] } : {}),
        ...(shape ? { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: shape } } } : {}),
      };
    case 'openai-responses':
      return {
        model,
        stream,
        max_output_tokens: most,
        input: [
          { role: 'user', content: user },
          ...(result === undefined
            ? []
            : [
                { type: 'function_call', call_id: 'c1', name, arguments: JSON.stringify(colour) },
                { type: 'function_call_output', call_id: 'c1', output: result },
              ]),
        ],
        ...(tool ? { tool_choice: 'required', tools: [{ type: 'function', ...tool }] } : {}),
        ...(shape ? { text: { format: { type: 'json_schema', name: 'answer', schema: shape } } } : {}),
      };
    case 'anthropic-messages':
      return {
        model,
        stream,
        max_tokens: most,
        messages: [
          { role: 'user', content: user },
          ...(result === undefined
            ? []
            : [
                { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name, input: colour }] },
                { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: result }] },
              ]),
        ],
        ...(tool ? { tool_choice: { type: 'any' }, tools: [{ name, input_schema: tool.parameters }] } : {}),
        ...(shape ? { output_config: { format: { type: 'json_schema', schema: shape } } } : {}),
      };
    case 'gemini':
      return {
        contents: [
          { role: 'user', parts: [{ text: user }] },
          ...(result === undefined
            ? []
            : [
                { role: 'model', parts: [{ functionCall: { name, args: colour } }] },
                { role: 'user', parts: [{ functionResponse: { name, response: { result } } }] },
              ]),
        ],
        generationConfig: {
          maxOutputTokens: most,
          ...(shape ? { responseMimeType: 'application/json', responseJsonSchema: shape } : {}),
        },
        ...(tool ? { tools: [{ functionDeclarations: [tool] }], toolConfig: { functionCallingConfig: { mode: 'ANY' } } } : {}),
      };
  }
}

export function read(dialect: Dialect, stream: boolean, answer: string): Reading {
  if (!stream) return readers[dialect]([JSON.parse(answer) as Json], false);
  const events = answer.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Json] : []));
  return readers[dialect](events, true);
}

const readers: Readonly<Record<Dialect, (events: readonly Json[], stream: boolean) => Reading>> = {
  'openai-chat'(events) {
    const choices = events.flatMap(({ choices }) => (choices ?? []) as Json[]);
    const said = choices.map(({ message, delta }) => (message ?? delta ?? {}) as Json);
    const calls = new Map<number, { name: string; input: string }>();
    for (const { tool_calls: pieces = [] } of said) {
      for (const [i, { index = i, function: part }] of (pieces as Json[]).entries()) {
        const before = calls.get(index as number) ?? { name: '', input: '' };
        calls.set(index as number, { name: before.name + (part.name ?? ''), input: before.input + (part.arguments ?? '') });
      }
    }
    return {
      calls: [...calls.values()].map(({ name, input }) => ({ name, input: JSON.parse(input) })),
      text: said.map(({ content }) => content ?? '').join(''),
      isWhole: choices.some(({ finish_reason: reason }) => typeof reason === 'string'),
    };
  },
  'openai-responses'(events, stream) {
    const whole = stream
      ? events.find(({ type }) => type === 'response.completed' || type === 'response.incomplete')?.['response']
      : events[0];
    const output = (whole?.output ?? []) as Json[];
    return {
      calls: output
        .filter(({ type }) => type === 'function_call')
        .map(({ name, arguments: input }) => ({ name, input: JSON.parse(input) })),
      text: output.flatMap(({ content = [] }) => (content as Json[]).map(({ text }) => text ?? '')).join(''),
      isWhole: whole !== undefined,
    };
  },
  'anthropic-messages'(events, stream) {
    const blocks: { name: string; input: string; text: string }[] = [];
    for (const { type, index, content_block: block, delta } of events) {
      if (type === 'content_block_start') blocks[index] = { name: block.name ?? '', input: '', text: block.text ?? '' };
      const at = blocks[index];
      if (type !== 'content_block_delta' || !at) continue;
      at.input += delta.partial_json ?? '';
      at.text += delta.text ?? '';
    }
    const all: Json[] = stream
      ? blocks.map(({ name, input, text }) => (name === '' ? { text } : { name, input: JSON.parse(input) }))
      : (events[0]?.['content'] ?? []);
    return {
      calls: all.filter(({ name }) => name !== undefined).map(({ name, input }) => ({ name, input })),
      text: all.map(({ text }) => text ?? '').join(''),
      isWhole: stream ? events.some(({ type }) => type === 'message_stop') : typeof events[0]?.['stop_reason'] === 'string',
    };
  },
  gemini(events) {
    const candidates = events.flatMap(({ candidates }) => (candidates ?? []) as Json[]);
    const parts = candidates.flatMap(({ content }) => (content?.parts ?? []) as Json[]);
    return {
      calls: parts.flatMap(({ functionCall }) => (functionCall ? [{ name: functionCall.name, input: functionCall.args }] : [])),
      text: parts.map(({ text }) => text ?? '').join(''),
      isWhole: candidates.some(({ finishReason }) => typeof finishReason === 'string'),
    };
  },
};
