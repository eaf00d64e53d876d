import fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, type Dialect, dialects } from '../core/index.ts';
import { rehearse, type Turn } from '../testing/index.ts';
import { readResponse as readAnthropic } from './anthropic/response.ts';
import { Reader as AnthropicReader } from './anthropic/stream.ts';
import type { StreamReader } from './canonical/response.ts';
import { readResponse as readGemini } from './gemini/response.ts';
import { Reader as GeminiReader } from './gemini/stream.ts';
import { type BodyCall, createStreamTranslator, detectCall, streamWatcher, translateRequest, translateResponse } from './index.ts';
import type { JsonObject } from './json.ts';
import { readResponse as readChat } from './openai-chat/response.ts';
import { Reader as ChatReader } from './openai-chat/stream.ts';
import { readResponse as readResponses } from './openai-responses/response.ts';
import { Reader as ResponsesReader } from './openai-responses/stream.ts';
import { SseDecoder } from './sse.ts';

const pairs = dialects.flatMap((from) => dialects.filter((to) => to !== from).map((to) => [from, to] as const));
const targets: Readonly<Record<Dialect, string>> = {
  'anthropic-messages': '/v1/messages',
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  gemini: '/v1beta/models/gemini-3:streamGenerateContent?alt=sse',
};

type InvokeCall = Extract<BodyCall, { kind: 'invoke' }>;
function callOf(dialect: Dialect, target = targets[dialect]): InvokeCall {
  const call = detectCall({ method: 'POST', target, rawHeaders: [] });
  if (call.kind !== 'invoke') throw new Error('not a model call');
  return call;
}

function fixture(dialect: Dialect): Buffer {
  return fs.readFileSync(new URL(`testdata/requests/${dialect}.json`, import.meta.url));
}

function translate(from: Dialect, to: Dialect, body: Buffer | object = fixture(from), target = targets[from]) {
  let count = 0;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return translateRequest(to, callOf(from, target), bytes, 'target-model', { now: () => 0, newId: () => `call_new${count++}` });
}

const turn: Turn = {
  thinking: 'Two steps …',
  text: 'Writing "it" 🙂.',
  acts: [
    { do: 'tool', name: 'write_file', input: { file_path: 'hello.txt', content: 'hëllo\n' } },
    { do: 'tool', name: 'exec', input: { input: 'text("raw");' } },
  ],
};

describe.each(pairs)('%s to %s', (from, to) => {
  it('request', async () => {
    const { body, target, lossy } = translate(from, to);
    const shown = `POST ${target}\nlossy: ${lossy.join(', ')}\n\n${JSON.stringify(JSON.parse(Buffer.from(body).toString()), null, 2)}\n`;
    await expect(shown).toMatchFileSnapshot(`testdata/requests/${from}.to.${to}.golden.txt`);
  });

  it('response', async () => {
    const { translation } = translate(from, to);
    const { body } = translateResponse(translation, Buffer.from(rehearse(to, turn).body));
    const shown = `${JSON.stringify(JSON.parse(Buffer.from(body).toString()), null, 2)}\n`;
    await expect(shown).toMatchFileSnapshot(`testdata/responses/${to}.to.${from}.golden.json`);
  });

  it('stream', async () => {
    await expect(streamed(from, to, rehearse(to, turn).chunks)).toMatchFileSnapshot(`testdata/streams/${to}.to.${from}.golden.txt`);
  });

  it('property: a stream split anywhere gives the same bytes', () => {
    const bytes = Buffer.from(rehearse(to, turn).chunks.join(''));
    const whole = streamed(from, to, [bytes]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts, bytes.length].sort((a, b) => a - b);
        expect(
          streamed(
            from,
            to,
            at.slice(1).map((end, i) => bytes.subarray(at[i], end)),
          ),
        ).toBe(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('property: a stream cut anywhere before its end gives an error event and no clean end', () => {
    const { chunks } = rehearse(to, turn);
    const bytes = Buffer.from(chunks.join(''));
    // The last event is the end; Gemini's end is in its last event too.
    const last = bytes.length - Buffer.byteLength(chunks.at(-1) ?? '');
    fc.assert(
      fc.property(fc.nat(last), (cut) => {
        const { isComplete, upstreamError } = watched(from, Buffer.from(streamed(from, to, [bytes.subarray(0, cut)])));
        expect(upstreamError).toBeDefined();
        if (from !== 'openai-responses') expect(isComplete).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('the whole answer and the stream mean the same', () => {
    const { translation } = translate(from, to);
    const stream = Buffer.from(streamed(from, to, rehearse(to, turn).chunks));
    const { body, usage } = translateResponse(translation, Buffer.from(rehearse(to, turn).body));
    const seen = watched(from, stream);
    expect(seen.isComplete).toBe(true);
    expect(seen.usage).toMatchObject({ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens });
    expect(assembled(from, stream)).toEqual(partsOf(from, body));
  });

  it('an error of the upstream in mid-stream is an error to the client', () => {
    const { chunks } = rehearse(to, turn);
    const error = {
      'anthropic-messages': { type: 'error', error: { type: 'overloaded_error', message: 'busy' } },
      'openai-responses': { type: 'error', message: 'busy' },
    };
    const event = `data: ${JSON.stringify({ error: { message: 'busy' }, ...error[to as 'openai-responses'] })}\n\n`;
    const seen = watched(from, Buffer.from(streamed(from, to, [...chunks.slice(0, 3), event])));
    expect(seen.upstreamError).toBe('busy');
  });

  it('hostile answers are refused or become an error event', () => {
    const { translation } = translate(from, to);
    for (const answer of ['', 'null', '[]', '{}', '{"ok":true}', 'x'.repeat(100_000), '{"a":'])
      expect(codeFrom(() => translateResponse(translation, Buffer.from(answer)))).toBe('UPSTREAM_PROTOCOL');
    for (const stream of ['', '\0', 'data: {}\n\n', 'data: {"type":\n\n', 'data: [DONE]\n\n', 'event: message_stop\n\n'])
      expect(watched(from, Buffer.from(streamed(from, to, [stream]))).upstreamError).toBeDefined();
  });
});

function streamed(from: Dialect, to: Dialect, chunks: readonly (string | Buffer)[], body?: object): string {
  const translator = createStreamTranslator(translate(from, to, body).translation);
  const out = chunks.map((chunk) => translator.push(Buffer.from(chunk)));
  return Buffer.concat([...out, translator.end()]).toString();
}

function watched(dialect: Dialect, stream: Buffer) {
  const watcher = streamWatcher(dialect);
  watcher.push(stream);
  return watcher;
}

const readers: Readonly<Record<Dialect, () => StreamReader>> = {
  'anthropic-messages': () => new AnthropicReader(),
  'openai-chat': () => new ChatReader(() => 'id'),
  'openai-responses': () => new ResponsesReader(),
  gemini: () => new GeminiReader(() => 'id'),
};

/** The parts that a client puts together from a stream. */
function assembled(dialect: Dialect, stream: Buffer): Record<string, string>[] {
  const reader = readers[dialect]();
  const steps = [...new SseDecoder().push(stream).flatMap((event) => reader.read(event)), ...reader.finish()];
  const parts: Record<string, string>[] = [];
  for (const step of steps) {
    if (step.kind === 'open') parts[step.part] = { text: '', ...step.of };
    const part = step.kind === 'more' || step.kind === 'sign' ? parts[step.part] : undefined;
    if (part && step.kind === 'more') part['text'] += step.text;
    if (part && step.kind === 'sign') part['signature'] = step.signature.value;
  }
  return parts;
}

/** The parts of a whole answer, in the same form. */
function partsOf(dialect: Dialect, body: Uint8Array): Record<string, string>[] {
  const { parts } = responseReaders[dialect](json(body) as JsonObject, () => 'id');
  return parts.map((part) => {
    if (part.kind === 'tool-call') return { kind: part.kind, id: part.id, name: part.name, text: part.input };
    return {
      kind: part.kind,
      text: part.text,
      ...(part.kind === 'thinking' && part.signature?.value && { signature: part.signature.value }),
    };
  });
}

const responseReaders = {
  'anthropic-messages': readAnthropic,
  'openai-chat': readChat,
  'openai-responses': readResponses,
  gemini: readGemini,
};

function codeFrom(step: () => unknown): string | undefined {
  try {
    step();
    return 'nothing thrown';
  } catch (fault) {
    return codeOf(fault);
  }
}

function json(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(bytes).toString());
}

describe('there and back', () => {
  it.each(pairs)('%s through %s keeps the conversation', (from, through) => {
    const there = translate(from, through);
    const back = translateRequest(
      from,
      callOf(through, through === 'gemini' ? targets.gemini : undefined),
      Buffer.from(there.body),
      'target-model',
      { now: () => 0 },
    );
    const original = translateRequest(from === 'openai-chat' ? 'anthropic-messages' : 'openai-chat', callOf(from), fixture(from), 'm');
    const returned = translateRequest(
      from === 'openai-chat' ? 'anthropic-messages' : 'openai-chat',
      callOf(from),
      Buffer.from(back.body),
      'm',
    );
    // What every dialect can say must survive: texts, pictures, calls with their arguments, results.
    for (const word of ['hello.txt', 'hëllo', 'iVBORw0KGgo=', 'Create hello.txt'])
      if (Buffer.from(original.body).includes(word)) expect(Buffer.from(returned.body).toString()).toContain(word);
  });

  const word = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() === text && text !== '');
  const text = fc.record({ role: fc.constantFrom('user', 'assistant'), text: word });
  it.each(pairs)('property: plain talk from %s through %s is the same talk', (from, through) => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (talk) => {
        const body = talkIn(from, talk);
        const there = translate(from, through, body);
        const back = translateRequest(from, callOf(through), Buffer.from(there.body), 'm');
        expect(talkOf(from, json(back.body))).toEqual(merged(talk));
      }),
      { numRuns: 40 },
    );
  });

  it("a vendor's signature comes back to it unchanged through a client of another dialect", () => {
    const anthropicCall = callOf('anthropic-messages');
    const first = translateRequest('gemini', anthropicCall, Buffer.from('{"model":"m","messages":[{"role":"user","content":"hi"}]}'), 'g');
    const answer = {
      candidates: [{ content: { parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'U0lH' }] }, finishReason: 'STOP' }],
    };
    const reply = json(translateResponse(first.translation, Buffer.from(JSON.stringify(answer))).body);
    const next = {
      model: 'm',
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: reply['content'] },
      ],
    };
    const second = translateRequest('gemini', anthropicCall, Buffer.from(JSON.stringify(next)), 'g');
    expect(json(second.body)['contents']).toMatchObject([
      { role: 'user' },
      { role: 'model', parts: [{ functionCall: { name: 'f' }, thoughtSignature: 'U0lH' }] },
    ]);
    // To another vendor it is worth nothing and is not sent.
    const other = translateRequest('openai-responses', anthropicCall, Buffer.from(JSON.stringify(next)), 'o');
    expect(Buffer.from(other.body).toString()).not.toContain('U0lH');
  });
});

type Talk = readonly { readonly role: string; readonly text: string }[];

function talkIn(dialect: Dialect, talk: Talk): object {
  const messages = talk.map(({ role, text }) => ({ role, content: text }));
  if (dialect === 'gemini')
    return { contents: talk.map(({ role, text }) => ({ role: role === 'user' ? 'user' : 'model', parts: [{ text }] })) };
  if (dialect === 'openai-responses') return { model: 'm', input: messages.map((message) => ({ type: 'message', ...message })) };
  return { model: 'm', messages };
}

/** Texts of neighbours with one role belong together. */
function merged(talk: Talk): Talk {
  const out: { role: string; text: string }[] = [];
  for (const { role, text } of talk) {
    const last = out.at(-1);
    if (last?.role === role) last.text += text;
    else out.push({ role, text });
  }
  return out;
}

function talkOf(dialect: Dialect, body: Record<string, unknown>): Talk {
  const list = (body[dialect === 'gemini' ? 'contents' : dialect === 'openai-responses' ? 'input' : 'messages'] ?? []) as Record<
    string,
    unknown
  >[];
  return merged(
    list.map((item) => {
      const content = item['parts'] ?? item['content'];
      const texts = typeof content === 'string' ? [content] : (content as { text: string }[]).map((part) => part.text);
      // Chat joins the texts of a user's turn with a blank line.
      return { role: item['role'] === 'model' ? 'assistant' : String(item['role']), text: texts.join('').replaceAll('\n\n', '') };
    }),
  );
}

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
      { type: 'custom_tool_call', call_id: 'a', name: 'exec', namespace: 'functions', input: 'text(1)' },
      { type: 'function_call', call_id: 'b', name: 'spawn_agent', namespace: 'collaboration', arguments: '{}' },
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

it('Gemini without alt=sse gets its stream as one JSON array, also when it fails', () => {
  const target = '/v1beta/models/gemini-3:streamGenerateContent';
  const start = () => createStreamTranslator(translate('gemini', 'openai-chat', { contents: [] }, target).translation);
  const good = start();
  const bytes = Buffer.concat([good.push(Buffer.from(rehearse('openai-chat', turn).chunks.join(''))), good.end()]);
  const elements = JSON.parse(bytes.toString()) as Record<string, unknown>[];
  expect(elements.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
  const bad = start();
  expect(Buffer.from(bad.end('reset')).toString()).toBe('[{"error":{"code":500,"message":"reset","status":"INTERNAL"}}');
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

it('a header cannot be smuggled in through the name of a field that was lost', () => {
  const { lossy } = translate('openai-chat', 'gemini', { model: 'm', messages: [], 'x\r\nset-cookie: a': 1 });
  expect(lossy).toEqual(['x??set-cookie??a']);
});

describe('hostile input', () => {
  /** Every place in a JSON value, as a path. */
  function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
    if (typeof value !== 'object' || value === null) return [path];
    return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, Array.isArray(value) ? Number(key) : key]))];
  }

  function withAt(value: unknown, path: readonly (string | number)[], put: unknown): unknown {
    const [key, ...rest] = path;
    if (key === undefined) return put;
    if (Array.isArray(value)) return value.map((inner, n) => (n === key ? withAt(inner, rest, put) : inner));
    return { ...(value as object), [key]: withAt((value as Record<string, unknown>)[key], rest, put) };
  }

  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('__proto__', { __proto__: null, type: 'text' }, [null], [[]], -1, 1e308, '\ud800'),
  );

  it.each(pairs)('property: a request from %s to %s with any value anywhere is translated or refused, never a crash', (from, to) => {
    const body: unknown = JSON.parse(fixture(from).toString());
    fc.assert(
      fc.property(fc.constantFrom(...places(body)), odd, (path, put) => {
        const bytes = Buffer.from(JSON.stringify(withAt(body, path, put)) ?? 'null');
        try {
          json(translate(from, to, bytes).body);
        } catch (fault) {
          expect(codeOf(fault)).toMatch(/^DIALECT_/);
        }
      }),
      { numRuns: 30 },
    );
  });

  it.each(pairs)('property: an answer for %s from %s with any value anywhere is translated or refused, never a crash', (from, to) => {
    const { translation } = translate(from, to);
    const { body, chunks } = rehearse(to, turn);
    const whole: unknown = JSON.parse(body);
    const events = chunks.flatMap((chunk) =>
      chunk.includes('{') ? [JSON.parse(chunk.slice(chunk.indexOf('data: ') + 6)) as unknown] : [],
    );
    fc.assert(
      fc.property(fc.constantFrom(...places(whole)), fc.nat(events.length - 1), fc.nat(), odd, (path, at, pick, put) => {
        try {
          json(translateResponse(translation, Buffer.from(JSON.stringify(withAt(whole, path, put)))).body);
        } catch (fault) {
          expect(codeOf(fault)).toBe('UPSTREAM_PROTOCOL');
        }
        const changed = events.map((event, n) => {
          const inside = places(event);
          return n === at ? withAt(event, inside[pick % inside.length] ?? [], put) : event;
        });
        const stream = [...changed.map((event) => `data: ${JSON.stringify(event)}\n\n`), 'data: [DONE]\n\n'].join('');
        const seen = watched(from, Buffer.from(streamed(from, to, [stream])));
        expect(seen.isComplete || seen.upstreamError !== undefined).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('the arguments of a call may be long and come in small pieces', () => {
    const open = { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'exec', arguments: '' } }] } }] };
    const more = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(50) } }] } }] })}\n\n`;
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n';
    const stream = streamed('openai-responses', 'openai-chat', [`data: ${JSON.stringify(open)}\n\n`, more.repeat(20_000), end]);
    expect(stream).toContain('response.completed');
    expect(stream.length).toBeGreaterThan(1_000_000);
  });
});
