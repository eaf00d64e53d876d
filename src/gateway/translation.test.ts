import { afterEach, describe, expect, it } from 'vitest';
import { type Dialect, dialects } from '../core/index.ts';
import { type FakeUpstream, startFakeUpstream } from '../testing/index.ts';
import { ask, bearer, provider, type Rig, type RigOptions, startRig, until } from './test-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

const weather = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const question = 'What is the weather in Rome?';

/** The same call in each dialect: a question and a tool. */
const asks: Readonly<Record<Dialect, readonly [path: string, body: Readonly<Record<string, unknown>>]>> = {
  'anthropic-messages': [
    '/v1/messages',
    {
      model: 'any',
      max_tokens: 100,
      messages: [{ role: 'user', content: question }],
      tools: [{ name: 'weather', description: 'd', input_schema: weather }],
    },
  ],
  'openai-chat': [
    '/v1/chat/completions',
    {
      model: 'any',
      messages: [{ role: 'user', content: question }],
      tools: [{ type: 'function', function: { name: 'weather', description: 'd', parameters: weather } }],
    },
  ],
  'openai-responses': [
    '/v1/responses',
    { model: 'any', input: question, tools: [{ type: 'function', name: 'weather', description: 'd', parameters: weather }] },
  ],
  gemini: [
    '/v1beta/models/any:generateContent',
    {
      contents: [{ role: 'user', parts: [{ text: question }] }],
      tools: [{ functionDeclarations: [{ name: 'weather', description: 'd', parametersJsonSchema: weather }] }],
    },
  ],
};

/** A mark of a tool call, and of the dialect's own end. */
const marks: Readonly<Record<Dialect, readonly [whole: RegExp, end: RegExp]>> = {
  'anthropic-messages': [/"type":"tool_use"/, /message_stop/],
  'openai-chat': [/"tool_calls":\[/, /\[DONE\]/],
  'openai-responses': [/"type":"function_call"/, /response\.completed/],
  gemini: [/"functionCall":/, /"finishReason"/],
};

function streamed(dialect: Dialect): readonly [string, string] {
  const [path, body] = asks[dialect];
  return dialect === 'gemini'
    ? ['/v1beta/models/any:streamGenerateContent?alt=sse', JSON.stringify(body)]
    : [path, JSON.stringify({ ...body, stream: true })];
}

async function between(upstreamDialect: Dialect, options: RigOptions = {}): Promise<{ upstream: FakeUpstream; rig: Rig }> {
  const upstream = await startFakeUpstream({
    dialects: [upstreamDialect],
    script: [{ text: 'Let me see.', acts: [{ do: 'tool', name: 'weather', input: { city: 'Rome' } }] }],
  });
  open.push(upstream);
  const url = upstreamDialect.startsWith('openai') ? `${upstream.url}/v1` : upstream.url;
  const rig = await startRig({
    ...options,
    config: {
      providers: [provider({ id: 'p', dialect: upstreamDialect, url, timeoutMs: 400, key: 'env:KEY' })],
      models: [{ match: '*', targets: ['p/target'] }],
    },
    env: { KEY: 'provider-key' },
  });
  open.push(rig);
  return { upstream, rig };
}

const pairs = dialects.flatMap((client) =>
  dialects.filter((upstream) => upstream !== client).map((upstream) => [client, upstream] as const),
);

describe.each(pairs)('a caller in %s, a target in %s', (client, upstreamDialect) => {
  it('gets a tool call in its own dialect, whole and streamed', async () => {
    const { upstream, rig } = await between(upstreamDialect);
    const headers = { ...bearer, 'anthropic-beta': 'of-the-client', 'anthropic-version': '2023-06-01' };
    const [path, body] = asks[client];
    const [streamPath, streamBody] = streamed(client);
    const whole = await ask(rig.url + path, { headers, body: JSON.stringify(body) });
    const stream = await ask(rig.url + streamPath, { headers, body: streamBody });
    const [call, end] = marks[client];
    expect([whole.status, whole.headers['content-type'], stream.status, stream.headers['content-type']]).toEqual([
      200,
      'application/json',
      200,
      'text/event-stream',
    ]);
    for (const { text } of [whole, stream]) {
      expect(text).toMatch(call);
      expect(text).toMatch(/Rome|ome\\?"/);
    }
    expect(stream.text).toMatch(end);
    expect(upstream.received.map(({ body }) => body.includes(question))).toEqual([true, true]);
    expect(JSON.stringify(upstream.received.map(({ rawHeaders }) => rawHeaders))).not.toContain('of-the-client');
    expect(upstream.received.every(({ rawHeaders }) => rawHeaders.some((value) => value.includes('provider-key')))).toBe(true);
    await until(() => rig.ledger.length === 4);
    expect(
      rig.ledger
        .filter(({ outcomeOf }) => outcomeOf !== undefined)
        .map(({ status, detail }) => [status, detail?.['outputTokens'] !== undefined]),
    ).toEqual([
      [200, true],
      [200, true],
    ]);
  });

  it('is told of a cut as an error, never as an end', async () => {
    const { upstream, rig } = await between(upstreamDialect);
    const [path, body] = streamed(client);
    for (const fault of ['cut', 'cut-reset', 'stall', 'garbage'] as const) {
      upstream.setFault(fault);
      const { text } = await ask(rig.url + path, { headers: bearer, body });
      expect(text).toMatch(/Intramur refused: |the upstream/);
      expect(text).not.toMatch(marks[client][1]);
    }
  });

  it('is told of an error of the target in its own shape, with status and retry-after', async () => {
    const { upstream, rig } = await between(upstreamDialect);
    upstream.setFault({ status: 429, message: 'slow down', retryAfter: 9 });
    const [path, body] = asks[client];
    const told = await ask(rig.url + path, { headers: bearer, body: JSON.stringify(body) });
    expect([told.status, told.headers['retry-after'], JSON.parse(told.text).error.message]).toEqual([429, '9', 'slow down']);
    expect(told.text.includes('rate_limit_error')).toBe(client === 'anthropic-messages' || client.startsWith('openai'));
  });
});

describe('what a translation cannot say', () => {
  it('is named in the reply and in the ledger, as the caller wrote it', async () => {
    const { rig } = await between('openai-chat');
    const [path, body] = asks['anthropic-messages'];
    const told = await ask(rig.url + path, {
      headers: bearer,
      body: JSON.stringify({ ...body, top_k: 5, thinking: { type: 'enabled', budget_tokens: 2000 } }),
    });
    expect([told.status, told.headers['x-intramur-lossy']]).toEqual([200, expect.stringMatching(/\btop_k\b/)]);
    await until(() => rig.ledger.length === 2);
    expect(rig.ledger[1]?.detail?.['lossy']).toEqual(expect.arrayContaining(['top_k']));
  });

  it('is a refusal when it is the conversation itself', async () => {
    const { upstream, rig } = await between('openai-chat');
    const told = await ask(`${rig.url}/v1/responses`, {
      headers: bearer,
      body: JSON.stringify({ model: 'any', input: 'go on', previous_response_id: 'resp_1' }),
    });
    expect([told.status, JSON.parse(told.text).error.message, upstream.received]).toEqual([
      400,
      expect.stringMatching(/^Intramur refused: .*would lose/),
      [],
    ]);
  });
});

it('tokens are estimated where no target can count them', async () => {
  const { upstream, rig } = await between('openai-chat');
  const counted = await ask(`${rig.url}/v1/messages/count_tokens`, {
    headers: bearer,
    body: JSON.stringify({ model: 'any', messages: [{ role: 'user', content: question }] }),
  });
  expect([counted.status, JSON.parse(counted.text), upstream.received, rig.ledger]).toEqual([
    200,
    { input_tokens: expect.any(Number) },
    [],
    [],
  ]);
});
