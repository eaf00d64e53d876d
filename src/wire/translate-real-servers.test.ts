// What the vendors' servers insist on, and what they accept: calls that would be an error there though every word of them was carried.
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { rehearse } from '../testing/index.ts';
import { translateRequest } from './index.ts';
import { callOf, codeFrom, json, pairs, streamed, translate, turn } from './test-rig.ts';

type Fields = Record<string, unknown>;

/** The call as that model gets it. */
function sent(from: Dialect, to: Dialect, body: Fields, model = 'target-model'): { body: Fields; lossy: readonly string[] } {
  const { body: bytes, lossy } = translateRequest(to, callOf(from), Buffer.from(JSON.stringify({ model: 'm', ...body })), model);
  return { body: json(bytes), lossy };
}

const hi = { messages: [{ role: 'user', content: 'hi' }] };
const tool = (name: string, more: Fields = {}) => ({ type: 'function', function: { name, parameters: { type: 'object' }, ...more } });

describe('a choice among some of the tools', () => {
  const allowed = ['read', 'grep'];
  const offered = ['read', 'write', 'grep'];
  const calls: readonly (readonly [Dialect, Fields])[] = [
    [
      'openai-chat',
      {
        ...hi,
        tools: offered.map((name) => tool(name)),
        tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: allowed.map((name) => tool(name)) } },
      },
    ],
    [
      'openai-responses',
      {
        input: 'hi',
        tools: offered.map((name) => ({ type: 'function', name, parameters: { type: 'object' } })),
        tool_choice: { type: 'allowed_tools', mode: 'required', tools: allowed.map((name) => ({ type: 'function', name })) },
      },
    ],
    [
      'gemini',
      {
        contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
        tools: [{ functionDeclarations: offered.map((name) => ({ name })) }],
        toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: allowed } },
      },
    ],
  ];
  it.each(calls)('of %s: the others are not offered', (from, body) => {
    const { tools, tool_choice } = sent(from, 'anthropic-messages', body).body as { tools: { name: string }[]; tool_choice: unknown };
    expect([tools.map(({ name }) => name), tool_choice]).toEqual([allowed, { type: 'any' }]);
  });

  it("Gemini's only one is the tool that must be called, and VALIDATED is a free choice", () => {
    const [, body] = calls[2] ?? [];
    const config = (functionCallingConfig: Fields) =>
      sent('gemini', 'openai-chat', { ...body, toolConfig: { functionCallingConfig } }).body;
    expect(config({ mode: 'ANY', allowedFunctionNames: ['read'] })).toMatchObject({
      tools: offered.map((name) => ({ function: { name } })),
      tool_choice: { type: 'function', function: { name: 'read' } },
    });
    expect(config({ mode: 'VALIDATED', allowedFunctionNames: ['read'] })).toMatchObject({
      tools: [{ function: { name: 'read' } }],
      tool_choice: 'auto',
    });
  });

  it('a tool of a namespace that must be called is the one that is offered', () => {
    const inner = { type: 'function', name: 'spawn', parameters: { type: 'object' } };
    const { body } = sent('openai-responses', 'openai-chat', {
      input: 'hi',
      tools: [{ type: 'namespace', name: 'agents', tools: [inner] }],
      tool_choice: { type: 'function', name: 'spawn', namespace: 'agents' },
    });
    expect(body).toMatchObject({
      tools: [{ function: { name: 'agents__spawn' } }],
      tool_choice: { function: { name: 'agents__spawn' } },
    });
  });
});

it('tools that are handed in again are offered once, as they were said last', () => {
  const again = (description: string) => ({
    type: 'additional_tools',
    role: 'developer',
    tools: [{ type: 'namespace', name: 'functions', tools: [{ type: 'function', name: 'exec', description, parameters: {} }] }],
  });
  const input = [again('old'), { role: 'user', content: 'hi' }, again('new')];
  const { tools } = sent('openai-responses', 'anthropic-messages', { input }).body as { tools: Fields[] };
  expect(tools).toEqual([{ name: 'exec', description: 'new', input_schema: { type: 'object' } }]);
});

describe('schemas', () => {
  const open = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['a'] };
  const shut = {
    type: 'object',
    properties: { a: { type: 'array', items: { type: 'string' } } },
    required: ['a'],
    additionalProperties: false,
  };

  it.each([
    ['open', open, undefined],
    ['closed', shut, true],
    ['closed with an open one inside', { ...shut, properties: { a: open } }, undefined],
    ['closed with an open definition', { ...shut, $defs: { x: open } }, undefined],
  ])('%s towards OpenAI: strict only where it is taken', (_name, schema, strict) => {
    const ask = { ...hi, max_tokens: 9, output_config: { format: { type: 'json_schema', schema } } };
    const tools = [{ name: 'f', input_schema: schema, strict: true }];
    const chat = sent('anthropic-messages', 'openai-chat', { ...ask, tools }).body as {
      response_format: { json_schema: Fields };
      tools: [{ function: Fields }];
    };
    expect([chat.response_format.json_schema['strict'], chat.tools[0].function['strict']]).toEqual([strict, strict]);
    const responses = sent('anthropic-messages', 'openai-responses', { ...ask, tools }).body as {
      text: { format: Fields };
      tools: [Fields];
    };
    expect([responses.text.format['strict'], responses.tools[0]['strict']]).toEqual([strict, strict ?? false]);
  });

  it('of an answer towards Anthropic: objects closed, bounds taken off and named', () => {
    const answer = (schema: Fields) => {
      const { body, lossy } = sent('openai-chat', 'anthropic-messages', {
        ...hi,
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
      });
      return [(body['output_config'] as { format: Fields }).format['schema'], lossy];
    };
    expect(answer(open)).toEqual([{ ...open, additionalProperties: false }, []]);
    const bounded = { ...shut, properties: { a: { type: 'array', minItems: 3, items: { type: 'integer', minimum: 1 } } } };
    expect(answer(bounded)).toEqual([{ ...shut, properties: { a: { type: 'array', items: { type: 'integer' } } } }, ['response_format']]);
    const namedLikeBounds = { ...shut, properties: { minimum: { type: 'string', enum: ['x'] } }, required: ['minimum'] };
    expect(answer(namedLikeBounds)).toEqual([namedLikeBounds, []]);
  });

  it("in Google's language become JSON Schema", () => {
    const parameters = {
      type: 'OBJECT',
      properties: {
        type: { type: 'STRING', nullable: true, enum: ['A'] },
        list: { type: 'ARRAY', minItems: '1', maxItems: '3', items: { type: 'INTEGER' } },
      },
    };
    const { body } = sent('gemini', 'anthropic-messages', {
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      tools: [{ functionDeclarations: [{ name: 'f', parameters }] }],
    });
    expect((body['tools'] as Fields[])[0]?.['input_schema']).toEqual({
      type: 'object',
      properties: {
        type: { type: ['string', 'null'], enum: ['A', null] },
        list: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'integer' } },
      },
    });
  });
});

it('verbosity is carried between the dialects of OpenAI, and named where it is lost', () => {
  const body = { input: 'x', text: { verbosity: 'low' } };
  expect(sent('openai-responses', 'openai-chat', body, 'gpt-5')).toMatchObject({ body: { verbosity: 'low' }, lossy: [] });
  expect(sent('openai-responses', 'openai-chat', body, 'qwen3').lossy).toEqual(['text.verbosity']);
  expect(sent('openai-chat', 'openai-responses', { ...hi, verbosity: 'high' }).body['text']).toEqual({ verbosity: 'high' });
  expect(sent('openai-chat', 'gemini', { ...hi, verbosity: 'high' }).lossy).toEqual(['verbosity']);
});

describe('what a vendor made of the beginning of a conversation', () => {
  it('is told where it is a text', () => {
    const compaction = { type: 'compaction', content: 'They asked for a file.' };
    const { body, lossy } = sent('anthropic-messages', 'openai-chat', {
      max_tokens: 9,
      messages: [{ role: 'assistant', content: [compaction] }, ...hi.messages],
    });
    expect([(body['messages'] as Fields[])[0]?.['content'], lossy]).toEqual(['They asked for a file.', []]);
  });

  it.each(['compaction', 'compaction_summary'])('is refused where only the vendor can read it: %s', (type) => {
    const input = [
      { type, encrypted_content: 'xx' },
      { role: 'user', content: 'go on' },
    ];
    expect(codeFrom(() => translate('openai-responses', 'openai-chat', { model: 'm', input }))).toBe('DIALECT_LOSSY');
  });
});

it("a file that Google holds is no address for anybody else's server", () => {
  const part = (fileUri: string) => ({ fileData: { mimeType: 'image/png', fileUri } });
  const parts = [
    part('gs://bucket/a.png'),
    part('https://generativelanguage.googleapis.com/v1beta/files/abc'),
    part('data:image/png;base64,AA'),
  ];
  const { body, lossy } = sent('gemini', 'openai-chat', { contents: [{ role: 'user', parts: [{ text: 'see' }, ...parts] }] });
  expect(JSON.stringify(body)).not.toMatch(/gs:|googleapis/);
  expect(lossy).toEqual(['contents.fileData']);
});

describe('a Responses server that says things only once they are whole', () => {
  const sse = (events: readonly Fields[]) => events.map((data) => `data: ${JSON.stringify(data)}\n\n`);
  const item = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'all of it' }] };
  const done = { type: 'response.completed', response: { status: 'completed', output: [item] } };
  it.each([
    ['with its item', [{ type: 'response.output_item.done', output_index: 0, item }, done]],
    ['with its end', [done]],
    [
      'in deltas and again',
      [
        { type: 'response.output_text.delta', output_index: 3, delta: 'all of it' },
        { type: 'response.output_item.done', output_index: 0, item },
        done,
      ],
    ],
  ])('%s: the text comes once', (_name, events) => {
    const text = streamed('openai-chat', 'openai-responses', sse([{ type: 'response.created', response: { id: 'r' } }, ...events]));
    expect(text.match(/all of it/g)).toHaveLength(1);
    expect(text).toContain('[DONE]');
  });
});

describe('towards OpenAI Chat clients', () => {
  it('a call without arguments has an empty object, which they parse', () => {
    const events = [
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'a', name: 'f', input: {} } },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'b', name: 'g', input: {} } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"x":1}' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
      { type: 'message_stop' },
    ];
    const text = streamed(
      'openai-chat',
      'anthropic-messages',
      events.map((data) => `data: ${JSON.stringify(data)}\n\n`),
    );
    const calls = [...text.matchAll(/^data: (\{.*)$/gm)].flatMap(([, data = '']) => JSON.parse(data).choices[0]?.delta.tool_calls ?? []);
    const args = [0, 1].map((index) =>
      calls
        .filter((call) => call.index === index)
        .map((call) => call.function.arguments)
        .join(''),
    );
    expect(args).toEqual(['{}', '{"x":1}']);
  });

  it('what asks for nothing is not named as lost, and a grammar is told to the model', () => {
    const custom = { name: 'patch', description: 'p', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "x"' } } };
    const { body, lossy } = sent('openai-chat', 'anthropic-messages', {
      ...hi,
      modalities: ['text'],
      presence_penalty: 0,
      tools: [{ type: 'custom', custom }],
    });
    expect([lossy, (body['tools'] as Fields[])[0]?.['description']]).toEqual([[], 'p\n\nThe input follows this grammar:\nstart: "x"']);
    expect(sent('openai-chat', 'gemini', { ...hi, modalities: ['text', 'audio'] }).lossy).toEqual(['modalities']);
  });
});

describe('an error in a stream that has begun', () => {
  const failed = (message: string) => [`data: ${JSON.stringify({ error: { message } })}\n\n`];
  const events = (text: string) => [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data = '']) => JSON.parse(data));

  it('is raised by the SDKs of OpenAI, which look under `error`', () => {
    const [error, last] = events(streamed('openai-responses', 'openai-chat', failed('busy')));
    const told = { message: 'busy', code: 'stream_failed', param: null };
    expect(error).toEqual({ type: 'error', sequence_number: 0, ...told, error: { type: 'api_error', ...told } });
    expect(last).toMatchObject({
      type: 'response.failed',
      sequence_number: 1,
      response: { status: 'failed', error: { code: 'stream_failed' } },
    });
  });

  it.each([
    ['anthropic-messages', 'openai-chat', /prompt is too long: maximum context length is 8/],
    ['openai-responses', 'openai-chat', /response\.failed.*"code":"context_length_exceeded"/],
    ['openai-chat', 'gemini', /"code":"context_length_exceeded"/],
  ] as const)('that says that a prompt is too long says so in the words of %s', (from, to, words) => {
    expect(streamed(from, to, failed('maximum context length is 8'))).toMatch(words);
  });
});

it('what stands deeper in a call and is lost is named, too', () => {
  const document = { type: 'document', source: { type: 'text', data: 'D' }, context: 'from the archive', citations: { enabled: true } };
  const { body, lossy } = sent('anthropic-messages', 'openai-chat', {
    max_tokens: 9,
    messages: [{ role: 'user', content: [document] }],
    output_config: { effort: 'low', task_budget: { total: 9 } },
  });
  expect(body['messages']).toEqual([{ role: 'user', content: 'from the archive\n\nD' }]);
  expect(lossy).toEqual(['output_config.task_budget', 'messages.citations']);
  const text = { format: { type: 'grammar', definition: 'x' }, other: 1 };
  expect(sent('openai-responses', 'openai-chat', { input: 'x', text }).lossy).toEqual(['text.other', 'text.format']);
  expect(sent('openai-chat', 'gemini', { ...hi, response_format: { type: 'regex' } }).lossy).toEqual(['response_format']);
});

it.each(pairs)('%s on %s: a server that leaves out its last line ends has ended all the same', (from, to) => {
  const { chunks } = rehearse(to, turn);
  const whole = streamed(from, to, chunks);
  expect(streamed(from, to, [chunks.join('').trimEnd()])).toBe(whole);
  expect(streamed(from, to, [chunks.join('').trimEnd().slice(0, -1)])).not.toBe(whole);
});
