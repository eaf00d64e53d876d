import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Dialect, dialects } from '../core/index.ts';
import { type FakeUpstream, startFakeSink, startFakeUpstream } from './index.ts';

const act = { do: 'write', path: '/w/hello.txt', content: 'hi' } as const;
let upstream: FakeUpstream;
beforeEach(async () => {
  upstream = await startFakeUpstream({ script: [{ text: 'Writing.', acts: [act] }, { text: 'Done.' }] });
});
afterEach(() => upstream.close());

const schema = { type: 'object', properties: { file_path: { type: 'string' }, content: { type: 'string' } }, required: ['file_path'] };
const calls: Readonly<Record<Dialect, { path: string; body: object }>> = {
  'anthropic-messages': {
    path: '/v1/messages?beta=true',
    body: { model: 'm', messages: [{ role: 'user', content: 'hi' }], tools: [{ name: 'Write', input_schema: schema }] },
  },
  'openai-chat': {
    path: '/v1/chat/completions',
    body: {
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: { name: 'write_file', parameters: schema } }],
    },
  },
  'openai-responses': {
    path: '/v1/responses',
    body: {
      model: 'm',
      input: [{ type: 'additional_tools', tools: [{ type: 'namespace', name: 'functions', tools: [{ type: 'custom', name: 'exec' }] }] }],
    },
  },
  gemini: {
    path: '/v1beta/models/m:generateContent',
    body: { contents: [], tools: [{ functionDeclarations: [{ name: 'write_file', parametersJsonSchema: schema }] }] },
  },
};

async function post(path: string, body: object): Promise<{ status: number; text: string; server: string | null }> {
  const response = await fetch(upstream.url + path, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, text: await response.text(), server: response.headers.get('server') };
}

describe('the rehearsal model', () => {
  it.each(dialects)('%s: asks for a file through a tool that the agent offers', async (dialect) => {
    const { status, text, server } = await post(calls[dialect].path, calls[dialect].body);
    expect({ status, server }).toEqual({ status: 200, server: 'intramur-rehearsal' });
    expect(text).toContain('hello.txt');
    expect(text).toContain('rehearsal');
    expect(upstream.received).toHaveLength(1);
  });

  it('moves on when the history holds the call', async () => {
    const { path, body } = calls['openai-chat'];
    const history = [
      { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'write_file', arguments: '{}' } }] },
    ];
    expect((await post(path, { ...body, messages: history })).text).toContain('Done.');
  });

  it('answers a side call without tools in the form that was asked for', async () => {
    const format = { type: 'json_schema', schema: { type: 'object', properties: { title: { type: 'string' } } } };
    const { text } = await post('/v1/messages', { model: 'm', messages: [], output_config: { format } });
    expect(JSON.parse(JSON.parse(text).content[0].text)).toEqual({ title: 'Rehearsal' });
  });

  it('counts tokens, lists models, and knows no other path', async () => {
    expect(JSON.parse((await post('/v1/messages/count_tokens', { model: 'm', messages: [] })).text)).toEqual({ input_tokens: 1 });
    expect(await (await fetch(`${upstream.url}/v1/models`)).json()).toMatchObject({ data: [{ id: 'rehearsal' }] });
    expect((await post('/v1/nothing', {})).status).toBe(404);
  });

  it.each(['reset', 'cut-reset', 'wrong-length'] as const)('%s: the client sees a broken connection', async (fault) => {
    upstream.setFault(fault);
    const { path, body } = calls['openai-chat'];
    await expect(post(path, { ...body, stream: true })).rejects.toThrow();
  });

  it('cut: the stream ends, but not as its dialect ends', async () => {
    upstream.setFault('cut');
    const { path, body } = calls['openai-chat'];
    expect((await post(path, { ...body, stream: true })).text).not.toContain('[DONE]');
    upstream.setFault('drip');
    expect((await post(path, { ...body, stream: true })).text).toContain('[DONE]');
  });

  it('answers with any status', async () => {
    upstream.setFault({ status: 429, retryAfter: 7 });
    const response = await fetch(`${upstream.url}/v1/messages`, { method: 'POST', body: JSON.stringify(calls['anthropic-messages'].body) });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
  });
});

it('the sink takes down what reaches it', async () => {
  const sink = await startFakeSink({ protocol: 'http' });
  await fetch(`${sink.url}/x?y=1`, { method: 'POST', body: 'payload' });
  expect(sink.requests.map(({ method, path, body }) => [method, path, body.toString()])).toEqual([['POST', '/x?y=1', 'payload']]);
  expect(sink.connections).toBe(1);
  await sink.close();
});
