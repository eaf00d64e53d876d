// A call that goes well, and its headers.
import http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { deny } from '../core/index.ts';
import { allow, ask, bearer, chatBody, provider, testKey, until } from './test-rig.ts';
import { chat, closeAll, dialectCalls, listen, messageOf, pair, rig, streamed, targetsOf } from './testdata/pair.ts';

afterEach(closeAll);

describe('a call', () => {
  it('goes inside first, with the name the map gives, every other byte unchanged', async () => {
    const { inside, outside, rig } = await pair();
    const body = '{ "messages" : [{"role":"user","content":"h\\u00e9llo"}],"model":"coder" , "unknown":{"a":1e2} }';
    const told = await ask(`${rig.url}${chat}?trace=1`, { headers: bearer, body });
    expect([told.status, outside.received]).toEqual([200, []]);
    expect(inside.received.map((one) => [one.path, one.body.toString()])).toEqual([
      [`${chat}?trace=1`, body.replace('"coder"', '"qwen3"')],
    ]);
  });

  it.each(dialectCalls)('in %s arrives at its path, and comes back whole and as a stream', async (...call) => {
    const [dialect, to, body] = call;
    const { inside, rig } = await pair({}, dialect);
    const whole = await ask(rig.url + to, { headers: bearer, body: JSON.stringify(body) });
    const [streamTo, streamBody] = streamed(call);
    const stream = await ask(rig.url + streamTo, { headers: bearer, body: streamBody });
    expect([whole.status, stream.status, stream.headers['content-type'], stream.isWhole]).toEqual([200, 200, 'text/event-stream', true]);
    expect([whole.text.includes('hello back'), stream.text.includes('hell')]).toEqual([true, true]);
    expect(inside.received.map((one) => one.path)).toEqual([to, streamTo].map((one) => one.replace('models/coder', 'models/qwen3')));
    await until(() => rig.ledger.length === 4);
    expect(rig.ledger.filter(({ outcomeOf }) => outcomeOf !== undefined)).toEqual([
      expect.objectContaining({ outcomeOf: 0, status: 200, provider: 'coder', perimeter: 'onprem' }),
      expect.objectContaining({
        outcomeOf: expect.any(Number),
        status: 200,
        provider: 'coder',
        detail: expect.objectContaining({ stream: true }),
      }),
    ]);
  });

  it('counts tokens at the target too, because the body goes there', async () => {
    const { inside, rig } = await pair({}, 'anthropic-messages');
    const told = await ask(`${rig.url}/v1/messages/count_tokens`, { headers: bearer, body: JSON.stringify(dialectCalls[0]?.[2]) });
    expect([told.status, inside.received[0]?.path, rig.judged.length]).toEqual([200, '/v1/messages/count_tokens', 1]);
  });

  it('is judged with its bytes, candidates and caller before anything is sent', async () => {
    const { inside, rig } = await pair({ decide: () => deny('not today', ['house.rule']) });
    const body = chatBody();
    const told = await ask(rig.url + chat, { headers: { ...bearer, 'x-session-id': 's-1' }, body });
    expect([told.status, messageOf(told)]).toEqual([400, 'Intramur refused: not today (policy house.rule, ledger entry 0)']);
    expect(inside.received).toEqual([]);
    expect(
      rig.judged.map(({ request, body }) => [
        request.principal,
        targetsOf(request).map(({ provider, model }) => `${provider}/${model}`),
        Buffer.from(body.bytes).toString(),
      ]),
    ).toEqual([
      [
        {
          session: 'key:ide:s-1',
          user: 'alice',
          agent: 'qwen-code',
          vetting: 'unvetted',
          purpose: 'research',
          classification: 'public',
          via: 'key',
        },
        ['coder/qwen3', 'vendor/gpt'],
        body,
      ],
    ]);
  });
});

describe('headers', () => {
  const up = {
    ...bearer,
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'a,b',
    'openai-beta': 'c',
    'x-intramur-session': 's',
    cookie: 'a=b',
    'x-forwarded-for': '10.0.0.1',
    'openai-organization': 'org-of-the-client',
    connection: 'close, x-hop',
    'x-hop': '1',
    te: 'trailers',
  };

  it("up: the dialect's own, the provider's key, nothing else of the client", async () => {
    const { outside, rig } = await pair({
      decide: (request) => allow(targetsOf(request).filter(({ perimeter }) => perimeter === 'public')),
    });
    await ask(rig.url + chat, { headers: up, body: chatBody() });
    const raw = outside.received[0]?.rawHeaders ?? [];
    const names = raw.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'anthropic-beta',
      'anthropic-version',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'openai-beta',
      'user-agent',
    ]);
    expect(raw).toContain('Bearer real-vendor-key');
    expect(JSON.stringify(raw)).not.toContain(testKey);
  });

  it('down: request id, rate limits and retry-after', async () => {
    const server = http.createServer((_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'request-id': 'r1',
        'x-ratelimit-remaining': '9',
        'anthropic-ratelimit-x': '1',
        'set-cookie': 'a=b',
        server: 's',
      });
      response.end('{}');
    });
    const started = await rig({
      config: { providers: [provider({ id: 'p', url: await listen(server) })], models: [{ match: '*', targets: ['p/*'] }] },
    });
    const { headers } = await ask(started.url + chat, { headers: bearer, body: chatBody() });
    const { date: _date, connection: _connection, ...kept } = headers;
    expect(kept).toEqual({
      'content-type': 'application/json',
      'content-length': '2',
      'request-id': 'r1',
      'x-ratelimit-remaining': '9',
      'anthropic-ratelimit-x': '1',
    });
  });
});
