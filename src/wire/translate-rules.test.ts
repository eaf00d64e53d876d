import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { rehearse } from '../testing/index.ts';
import { createStreamTranslator, translateRequest, translateResponse } from './index.ts';
import { callOf, codeFrom, json, pairs, streamed, translate, turn, watched } from './test-rig.ts';

describe('what OpenAI servers do in streams', () => {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'x', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const call = (index: number, id: string | undefined, name: string | undefined, args: string) =>
    chunk({ tool_calls: [{ index, ...(id && { id }), function: { ...(name && { name }), arguments: args } }] });
  const end = `${chunk({}, 'tool_calls')}data: [DONE]\n\n`;
  const blocks = (stream: string) =>
    stream
      .split('\n\n')
      .flatMap((event) => (event.includes('data: ') ? [JSON.parse(event.slice(event.indexOf('data: ') + 6))] : []))
      .filter((data) => String(data.type).startsWith('content_block'))
      .map((data) =>
        [data.type.slice(14), data.index, data.content_block?.name ?? data.delta?.partial_json ?? data.delta?.text ?? ''].join(' ').trim(),
      );

  it.each([
    [
      'fragments of two calls interleaved',
      [
        call(0, 'a', 'f', '{"x"'),
        call(1, 'b', 'g', '{"y"'),
        call(0, undefined, undefined, ':1}'),
        call(1, undefined, undefined, ':2}'),
        end,
      ],
      ['start 0 f', 'delta 0 {"x"', 'delta 0 :1}', 'stop 0', 'start 1 g', 'delta 1 {"y"', 'delta 1 :2}', 'stop 1'],
    ],
    [
      'a new id on an index that was used',
      [call(0, 'a', 'f', '{}'), call(0, 'b', 'g', '{}'), end],
      ['start 0 f', 'delta 0 {}', 'stop 0', 'start 1 g', 'delta 1 {}', 'stop 1'],
    ],
    [
      'id and name in every fragment',
      [call(0, 'a', 'f', '{'), call(0, 'a', 'f', '}'), end],
      ['start 0 f', 'delta 0 {', 'delta 0 }', 'stop 0'],
    ],
    [
      'text after a call',
      [call(0, 'a', 'f', '{}'), chunk({ content: 'more' }), end],
      ['start 0 f', 'delta 0 {}', 'stop 0', 'start 1', 'delta 1 more', 'stop 1'],
    ],
    [
      'an empty text before a call',
      [chunk({ role: 'assistant', content: '' }), call(0, 'a', 'f', '{}'), end],
      ['start 0 f', 'delta 0 {}', 'stop 0'],
    ],
  ])('%s', (_name, chunks, expected) => {
    const stream = streamed('anthropic-messages', 'openai-chat', chunks);
    expect(blocks(stream)).toEqual(expected);
    expect(stream).toContain('"stop_reason":"tool_use"');
  });

  it('a server that says "stop" though tools were called does not stop the agent', () => {
    const stream = streamed('anthropic-messages', 'openai-chat', [call(0, 'a', 'f', '{}'), chunk({}, 'stop'), 'data: [DONE]\n\n']);
    expect(stream).toContain('"stop_reason":"tool_use"');
  });

  it('the true count of the prompt comes at the end, when it is known', () => {
    const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 100, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 60 } } })}\n\n`;
    const stream = streamed('anthropic-messages', 'openai-chat', [chunk({ content: 'hi' }), chunk({}, 'stop'), usage, 'data: [DONE]\n\n']);
    expect(stream).toContain('"usage":{"input_tokens":40,"output_tokens":5,"cache_read_input_tokens":60,"cache_creation_input_tokens":0}}');
  });
});

describe('Codex', () => {
  it('gets its own tools back: namespace apart, freeform text unpacked', () => {
    const request = translate('openai-responses', 'openai-chat');
    const tools = json(request.body)['tools'] as { function: { name: string } }[];
    expect(tools.map((tool) => tool.function.name)).toEqual(['exec', 'wait', 'collaboration__spawn_agent']);
    const answer = {
      choices: [
        {
          message: {
            tool_calls: [
              { id: 'a', function: { name: 'exec', arguments: '{"input":"text(1)"}' } },
              { id: 'b', function: { name: 'collaboration__spawn_agent', arguments: '{}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
    };
    expect(json(translateResponse(request.translation, Buffer.from(JSON.stringify(answer))).body)['output']).toMatchObject([
      { type: 'custom_tool_call', call_id: 'a_new0', name: 'exec', namespace: 'functions', input: 'text(1)' },
      { type: 'function_call', call_id: 'b_new0', name: 'spawn_agent', namespace: 'collaboration', arguments: '{}' },
    ]);
  });

  it.each([
    ['previous_response_id', { previous_response_id: 'resp_1', input: 'go on' }],
    ['conversation', { conversation: 'conv_1', input: 'go on' }],
    ['item_reference', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ])('%s: a conversation that only its vendor holds is refused', (_name, fields) => {
    expect(codeFrom(() => translate('openai-responses', 'openai-chat', { model: 'm', ...fields }))).toBe('DIALECT_LOSSY');
  });
});

describe('how an answer ends', () => {
  const ends: Readonly<Record<Dialect, Readonly<Record<string, object>>>> = {
    'anthropic-messages': {
      done: { content: [{ type: 'text', text: 'x' }], stop_reason: 'end_turn' },
      length: { content: [{ type: 'text', text: 'x' }], stop_reason: 'max_tokens' },
      filtered: { content: [], stop_reason: 'refusal' },
      tool: { content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }], stop_reason: 'end_turn' },
    },
    'openai-chat': {
      done: { choices: [{ message: { content: 'x' }, finish_reason: 'stop' }] },
      length: { choices: [{ message: { content: 'x' }, finish_reason: 'length' }] },
      filtered: { choices: [{ message: { content: '' }, finish_reason: 'content_filter' }] },
      tool: { choices: [{ message: { tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] }, finish_reason: 'stop' }] },
    },
    'openai-responses': {
      done: { status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text: 'x' }] }] },
      length: {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [{ type: 'message', content: [{ type: 'output_text', text: 'x' }] }],
      },
      filtered: { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: [] },
      tool: { status: 'completed', output: [{ type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }] },
    },
    gemini: {
      done: { candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: 'STOP' }] },
      length: { candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: 'MAX_TOKENS' }] },
      filtered: { promptFeedback: { blockReason: 'SAFETY' } },
      tool: { candidates: [{ content: { parts: [{ functionCall: { name: 'f', args: {} } }] }, finishReason: 'STOP' }] },
    },
  };
  const shown: Readonly<Record<Dialect, Readonly<Record<string, object>>>> = {
    'anthropic-messages': {
      done: { stop_reason: 'end_turn' },
      length: { stop_reason: 'max_tokens' },
      filtered: { stop_reason: 'refusal' },
      tool: { stop_reason: 'tool_use' },
    },
    'openai-chat': {
      done: { choices: [{ finish_reason: 'stop' }] },
      length: { choices: [{ finish_reason: 'length' }] },
      filtered: { choices: [{ finish_reason: 'content_filter' }] },
      tool: { choices: [{ finish_reason: 'tool_calls' }] },
    },
    'openai-responses': {
      done: { status: 'completed', incomplete_details: null },
      length: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      filtered: { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
      tool: { status: 'completed', output: [{ type: 'function_call' }] },
    },
    gemini: {
      done: { candidates: [{ finishReason: 'STOP' }] },
      length: { candidates: [{ finishReason: 'MAX_TOKENS' }] },
      filtered: { candidates: [{ finishReason: 'SAFETY' }] },
      tool: { candidates: [{ finishReason: 'STOP', content: { parts: [{ functionCall: { name: 'f' } }] } }] },
    },
  };
  it.each(pairs.flatMap(([from, to]) => Object.keys(ends[to]).map((end) => [to, from, end] as const)))('%s to %s: %s', (to, from, end) => {
    const { translation } = translate(from, to);
    const whole = Buffer.from(JSON.stringify(ends[to][end]));
    expect(json(translateResponse(translation, whole).body)).toMatchObject(shown[from][end] ?? {});
    // An upstream that ignores `stream` answers whole; the client still gets the stream that it asked for.
    const translator = createStreamTranslator(translation);
    const stream = Buffer.concat([translator.whole(whole), translator.end()]);
    expect(watched(from, stream)).toMatchObject({ isComplete: true, upstreamError: undefined });
  });

  it.each<[string, Dialect, object]>([
    ['a response that failed', 'openai-responses', { status: 'failed', error: { code: 'server_error', message: 'busy' }, output: [] }],
    ['a response that is still in work', 'openai-responses', { status: 'in_progress', output: [] }],
    ['no choice', 'openai-chat', { choices: [] }],
    ['a choice that ended in an error', 'openai-chat', { choices: [{ message: { content: 'x' }, finish_reason: 'error' }] }],
    ['no candidate', 'gemini', { candidates: [] }],
  ])('%s of an upstream is a failure, not an empty answer', (_name, upstream, answer) => {
    const { translation } = translate('anthropic-messages', upstream);
    expect(codeFrom(() => translateResponse(translation, Buffer.from(JSON.stringify(answer))))).toBe('UPSTREAM_PROTOCOL');
  });

  it('a call of a tool that Gemini itself calls malformed is a failure, not an end', () => {
    const { translation } = translate('anthropic-messages', 'gemini');
    const answer = { candidates: [{ content: { parts: [] }, finishReason: 'MALFORMED_FUNCTION_CALL' }] };
    expect(codeFrom(() => translateResponse(translation, Buffer.from(JSON.stringify(answer))))).toBe('UPSTREAM_PROTOCOL');
    const stream = streamed('anthropic-messages', 'gemini', [`data: ${JSON.stringify(answer)}\n\n`]);
    expect(watched('anthropic-messages', Buffer.from(stream))).toMatchObject({
      isComplete: false,
      upstreamError: expect.stringContaining('MALFORMED'),
    });
  });
});

it('Gemini without alt=sse gets its stream as one JSON array, also when it fails', () => {
  const target = '/v1beta/models/gemini-3:streamGenerateContent';
  const start = () => createStreamTranslator(translate('gemini', 'openai-chat', { contents: [] }, target).translation);
  const good = start();
  const bytes = Buffer.concat([good.push(Buffer.from(rehearse('openai-chat', turn).chunks.join(''))), good.end()]);
  const elements = JSON.parse(bytes.toString()) as Record<string, unknown>[];
  expect(elements.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
  const bad = start();
  expect(Buffer.from(bad.end('reset')).toString()).toBe('[{"error":{"code":500,"message":"reset","status":"INTERNAL"}}]');
});

it('Anthropic: thinking is not asked for where its server would refuse it', () => {
  const history = [
    { role: 'assistant', content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'a', content: 'x' },
  ];
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const plain = { model: 'm', reasoning_effort: 'high', messages: [{ role: 'user', content: 'hi' }], tools };
  expect(json(translate('openai-chat', 'anthropic-messages', plain).body)).toMatchObject({
    thinking: { type: 'adaptive' },
    output_config: { effort: 'high' },
  });
  expect(
    json(translate('openai-chat', 'anthropic-messages', { ...plain, messages: [...plain.messages, ...history] }).body),
  ).not.toHaveProperty('thinking');
  expect(json(translate('openai-chat', 'anthropic-messages', { ...plain, tool_choice: 'required' }).body)).not.toHaveProperty('thinking');
});

it.each([
  ['gpt-5.6-sol', { max_completion_tokens: 9, reasoning_effort: 'xhigh' }, ['max_tokens', 'temperature']],
  ['gpt-4.1', { max_tokens: 9, temperature: 0.5 }, ['max_completion_tokens', 'reasoning_effort']],
  ['qwen3-coder', { max_tokens: 9, temperature: 0.5, reasoning_effort: 'high' }, ['max_completion_tokens']],
])('Chat, %s: only what the server behind it accepts', (model, has, hasNot) => {
  const body = {
    model: 'm',
    max_tokens: 9,
    temperature: 0.5,
    messages: [],
    thinking: { type: 'adaptive' },
    output_config: { effort: 'max' },
  };
  const out = json(translateRequest('openai-chat', callOf('anthropic-messages'), Buffer.from(JSON.stringify(body)), model).body);
  expect(out).toMatchObject(has);
  for (const field of hasNot) expect(out).not.toHaveProperty(field);
});

it('a header cannot be smuggled in through the name of a field that was lost', () => {
  const { lossy } = translate('openai-chat', 'gemini', { model: 'm', messages: [], 'x\r\nset-cookie: a': 1 });
  expect(lossy).toEqual(['x??set-cookie??a']);
});
