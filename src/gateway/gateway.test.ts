import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Classification, type Dialect, deny, type Request, type Target } from '../core/index.ts';
import { type FakeUpstream, type Fault, startFakeUpstream } from '../testing/index.ts';
import { allow, ask, bearer, chatBody, provider, type Rig, type RigOptions, startRig, type Told, testKey, until } from './test-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function upstream(options: Partial<Parameters<typeof startFakeUpstream>[0]> = {}): Promise<FakeUpstream> {
  const started = await startFakeUpstream({ script: [{ text: 'hello back' }], ...options });
  open.push(started);
  return started;
}

async function rig(options: RigOptions): Promise<Rig> {
  const started = await startRig(options);
  open.push(started);
  return started;
}

function targetsOf(request: Request): readonly Target[] {
  return request.act.action === 'llm.invoke' ? request.act.targets : [];
}

const insideOnly = (request: Request): ReturnType<typeof allow> =>
  allow(targetsOf(request).filter(({ perimeter }) => perimeter === 'onprem'));

interface Pair {
  readonly inside: FakeUpstream;
  readonly outside: FakeUpstream;
  readonly rig: Rig;
}

/** An inside and an outside target for everything, in one dialect. The outside one stands first in the map. */
async function pair(options: RigOptions = {}, dialect: Dialect = 'openai-chat', timeoutMs = 300): Promise<Pair> {
  const [inside, outside] = [await upstream(), await upstream()];
  const prefix = dialect.startsWith('openai') ? '/v1' : '';
  const started = await rig({
    ...options,
    config: {
      providers: [
        provider({ id: 'vendor', url: outside.url + prefix, perimeter: 'public', key: 'env:VENDOR_KEY', dialect }),
        provider({ id: 'coder', url: inside.url + prefix, timeoutMs, dialect }),
      ],
      models: [{ match: '*', targets: ['vendor/gpt', 'coder/qwen3'] }],
      ...options.config,
    },
    env: { VENDOR_KEY: 'real-vendor-key' },
  });
  return { inside, outside, rig: started };
}

const chat = '/v1/chat/completions';
const dialectCalls: readonly (readonly [Dialect, string, Readonly<Record<string, unknown>>])[] = [
  ['anthropic-messages', '/v1/messages', { model: 'coder', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] }],
  ['openai-chat', chat, { model: 'coder', messages: [{ role: 'user', content: 'hello' }] }],
  ['openai-responses', '/v1/responses', { model: 'coder', input: 'hello' }],
  ['gemini', '/v1beta/models/coder:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }],
];

function streamed([dialect, to, body]: (typeof dialectCalls)[number]): readonly [string, string] {
  return dialect === 'gemini'
    ? ['/v1beta/models/coder:streamGenerateContent?alt=sse', JSON.stringify(body)]
    : [to, JSON.stringify({ ...body, stream: true })];
}

/** The message of an error in any dialect. */
function messageOf({ text }: Told): string {
  return String(JSON.parse(text).error.message);
}

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

async function listen(server: net.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if (server instanceof http.Server) server.closeAllConnections();
      }),
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const faults: readonly Fault[] = [
  'hang',
  'stall',
  'reset',
  'cut',
  'cut-reset',
  'garbage',
  'wrong-length',
  'huge-line',
  'gzip-bomb',
  'half-character',
  { status: 503 },
  { redirect: 'http://127.0.0.1:9/' },
];
const ends: Readonly<Record<Dialect, RegExp>> = {
  'anthropic-messages': /message_stop/,
  'openai-chat': /\[DONE\]/,
  'openai-responses': /response\.completed/,
  gemini: /"finishReason"/,
};

describe.each(dialectCalls)('an upstream inside that fails, in %s', (...call) => {
  const [dialect, to, body] = call;

  // Unpacking is the same in every dialect, and slow to prepare.
  const own = faults.filter((fault) => fault !== 'gzip-bomb' || dialect === 'openai-chat');
  it.each(own.map((fault) => [JSON.stringify(fault), fault] as const))(
    '%s: a refusal or an error event, the outside untouched',
    async (_name, fault) => {
      const { inside, outside, rig } = await pair({ decide: insideOnly }, dialect);
      inside.setFault(fault);
      const [streamTo, streamBody] = streamed(call);
      const told = await Promise.all([
        ask(rig.url + to, { headers: bearer, body: JSON.stringify(body) }),
        ask(rig.url + streamTo, { headers: bearer, body: streamBody }),
      ]);
      expect(outside.received).toEqual([]);
      for (const one of told) {
        expect(one.isWhole).toBe(true);
        if (one.status === 200) {
          expect(one.headers['content-type']).toBe('text/event-stream');
          // The whole answer came, in spite of its length.
          if (fault === 'wrong-length') continue;
          expect(one.text).toMatch(/Intramur refused: .+ledger entry \d+\)/);
          expect(one.text).not.toMatch(ends[dialect]);
        } else if (typeof fault === 'object' && 'status' in fault) expect(one.status).toBe(503);
        else {
          expect(one.status).toBe(400);
          expect(messageOf(one)).toMatch(/^Intramur refused: .+ \(policy test\.allow, ledger entry \d\)$/);
        }
      }
      await until(() => rig.ledger.filter(({ outcomeOf }) => outcomeOf !== undefined).length === 2);
      expect(rig.ledger.map(({ outcomeOf }) => outcomeOf).filter((of) => of !== undefined).length).toBe(2);
    },
  );
});

describe('every allowed target', () => {
  it.each<[string, Fault, number, string | undefined]>([
    ['overloaded', { status: 503, retryAfter: 7 }, 503, '7'],
    ['rate limited', { status: 429, retryAfter: 3 }, 429, '3'],
    ['without access', { status: 403 }, 403, undefined],
  ])('%s: the last upstream error, status and retry-after kept', async (_name, fault, status, retryAfter) => {
    const { inside, outside, rig } = await pair();
    inside.setFault({ status: 500 });
    outside.setFault(fault);
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([told.status, told.headers['retry-after'], inside.received.length, outside.received.length]).toEqual([status, retryAfter, 1, 1]);
  });

  it('is tried before the call fails, and the ledger names each', async () => {
    const { inside, outside, rig } = await pair();
    inside.setFault('reset');
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody({ stream: true }) });
    expect([told.status, outside.received[0]?.body.toString()]).toEqual([200, chatBody({ stream: true }).replace('coder', 'gpt')]);
    await until(() => rig.ledger.length === 2);
    expect(rig.ledger[1]).toMatchObject({
      provider: 'vendor',
      perimeter: 'public',
      detail: { attempts: ['coder: UPSTREAM_UNREACHABLE', 'vendor: 200'] },
    });
  });

  it('sees the words of the agent in one spelling only when it is public', async () => {
    const { inside, outside, rig } = await pair();
    const body = chatBody({ messages: [{ role: 'system', content: 'Today\u2019s date is 2026/11/22.' }] });
    await ask(rig.url + chat, { headers: bearer, body });
    inside.setFault('reset');
    await ask(rig.url + chat, { headers: bearer, body });
    expect([inside, outside].map(({ received }) => JSON.parse(String(received[0]?.body)).messages[0].content)).toEqual([
      'Today\u2019s date is 2026/11/22.',
      "Today's date is 2026-11-22.",
    ]);
    await until(() => rig.ledger.length === 4);
    expect(rig.ledger.at(-1)?.detail?.['scrubs']).toEqual(['date-line:1']);
  });

  it('is spared a call that is itself at fault', async () => {
    const { inside, outside, rig } = await pair();
    inside.setFault({ status: 400, message: 'prompt is too long' });
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([told.status, messageOf(told), outside.received]).toEqual([400, 'prompt is too long', []]);
  });

  it('is one of the candidates: a decision that names another is no permission', async () => {
    const stranger: Target = { provider: 'vendor', model: 'other', dialect: 'openai-chat', perimeter: 'public', vetted: false };
    const { inside, outside, rig } = await pair({ decide: () => allow([stranger]) });
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([told.status, inside.received, outside.received]).toEqual([400, [], []]);
    expect(messageOf(told)).toMatch(/^Intramur refused: /);
  });

  it('comes after a target whose circuit is open', async () => {
    const { inside, outside, rig } = await pair();
    inside.setFault({ status: 500 });
    for (let i = 0; i < 4; i++) await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([inside.received.length, outside.received.length]).toEqual([3, 4]);
  });
});

it.each([
  ['once is tried again, at the same target', 1, 200, 2],
  ['always is tried twice and refused', Number.POSITIVE_INFINITY, 400, 2],
] as const)('a connection that is reset before any answer, %s; the outside is never called', async (_name, resets, status, tries) => {
  const arrived: number[] = [];
  const inside = http.createServer((request, response) => {
    arrived.push(performance.now());
    if (arrived.length <= resets) request.socket.resetAndDestroy();
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const outside = await upstream();
  const started = await rig({
    decide: insideOnly,
    config: {
      providers: [
        provider({ id: 'coder', url: await listen(inside) }),
        provider({ id: 'vendor', url: `${outside.url}/v1`, perimeter: 'public' }),
      ],
      models: [{ match: '*', targets: ['coder/m', 'vendor/m'] }],
    },
  });
  const told = await ask(started.url + chat, { headers: bearer, body: chatBody() });
  expect([told.status, arrived.length, outside.received]).toEqual([status, tries, []]);
  // Not at once: a server that restarts is not there again in the same millisecond.
  expect((arrived[1] ?? 0) - (arrived[0] ?? 0)).toBeGreaterThan(15);
});

describe('an inside target that dies', () => {
  it('is noticed without a call, and so is its return; looking at it says nothing', async () => {
    let heard = 0;
    const listen = async (port: number): Promise<net.Server> => {
      const server = net.createServer((socket) => socket.on('data', () => heard++).on('error', () => {}));
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      return server;
    };
    const first = await listen(0);
    const { port } = first.address() as AddressInfo;
    const spare = await upstream();
    const { url, ledger } = await rig({
      limits: { healthMs: 20 },
      config: {
        providers: [
          provider({ id: 'one', url: `http://127.0.0.1:${port}/v1`, timeoutMs: 300 }),
          provider({ id: 'two', url: `${spare.url}/v1` }),
        ],
        models: [{ match: '*', targets: ['one/m', 'two/m'] }],
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toBe(0);
    await new Promise((resolve) => first.close(resolve));
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Only one connection is tried: nobody waits for the dead one.
    expect((await ask(url + chat, { headers: bearer, body: chatBody() })).status).toBe(200);
    await until(() => ledger.length === 2);
    expect(ledger[1]).toMatchObject({ detail: { attempts: ['two: 200'] } });

    const again = await listen(port);
    open.push({ close: () => new Promise((resolve) => again.close(() => resolve())) });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await ask(url + chat, { headers: { ...bearer, 'x-session-id': 'other' }, body: chatBody() })).status).toBe(200);
    await until(() => ledger.length === 4);
    expect(ledger[3]).toMatchObject({ detail: { attempts: ['one: UPSTREAM_UNREACHABLE', 'two: 200'] } });
  });

  it('(facts, scenario 4) leaves a refusal, and the outside target is never called, noticed or not', async () => {
    const { inside, outside, rig } = await pair({ decide: insideOnly, limits: { healthMs: 20 } });
    await inside.close();
    for (const wait of [0, 100]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      for (const stream of [false, true]) {
        const told = await ask(rig.url + chat, { headers: bearer, body: chatBody({ stream }) });
        expect([told.status, messageOf(told)]).toEqual([
          400,
          expect.stringMatching(/^Intramur refused: no allowed target answered: provider coder/),
        ]);
      }
    }
    expect(outside.received).toEqual([]);
  });
});

describe('nothing leaves', () => {
  const cloud = { models: [{ match: '*', targets: ['coder/*'] }] };

  it.each<[string, string, RegExp, RigOptions?]>([
    ['a body that is no JSON', '{', /does not parse/],
    ['the model named twice', '{"model":"a","model":"b","messages":[]}', /same key twice/],
    ['a model that passes on to a cloud', chatBody({ model: 'qwen3:480b-cloud' }), /no target/, { config: cloud }],
    ['a remote MCP server', chatBody({ tools: [{ type: 'mcp', server_url: 'https://evil.example' }] }), /MCP server/],
    [
      'an image by its address',
      chatBody({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://evil.example/?q' } }] }] }),
      /send the image itself/,
    ],
    ['a hosted tool that nobody knows', chatBody({ tools: [{ type: 'teleport' }] }), /not known here \(teleport\)/],
    ['a list of further models', chatBody({ models: ['gpt-x'] }), /choice of the model/],
    ['a body longer than the limit', chatBody({ pad: 'x'.repeat(5000) }), /longer than 4096 bytes/, { limits: { maxBytes: 4096 } }],
    ['a monitor that throws', chatBody(), /bug in the product/, { decide: () => Promise.reject(new Error('boom')) }],
    [
      'a monitor that hangs',
      chatBody(),
      /came too late[^]*\(INSPECT_LIMIT\)/,
      { decide: () => new Promise(() => {}), limits: { mediateMs: 50 } },
    ],
    ['a ledger that cannot append', chatBody(), /not in the ledger/, { append: () => Promise.reject(new Error('full')) }],
  ])('with %s', async (_name, body, reason, options = {}) => {
    const { inside, outside, rig } = await pair(
      options.config
        ? { ...options, config: { providers: [provider({ id: 'coder', url: 'http://127.0.0.1:9/v1' })], ...options.config } }
        : options,
    );
    for (const stream of [false, true]) {
      const told = await ask(rig.url + chat, { headers: bearer, body: stream ? body.replace(/}$/, ',"stream":true}') : body });
      expect([told.status, inside.received, outside.received]).toEqual([400, [], []]);
      expect(messageOf(told)).toMatch(/^Intramur refused: /);
      expect(messageOf(told)).toMatch(reason);
    }
  });

  it('with a caller that drips its body', async () => {
    const { inside, rig } = await pair({ limits: { idleMs: 80 } });
    const told = await new Promise<string>((resolve) => {
      const { port, hostname } = new URL(rig.url);
      const socket = net.connect(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (text.includes('}}')) socket.destroy();
      });
      socket.on('close', () => resolve(text));
      socket.write(`POST ${chat} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testKey}\r\ncontent-length: 500\r\n\r\n{"model":`);
    });
    expect(told).toMatch(/^HTTP\/1\.1 400 /);
    expect(told).toContain('came too slowly');
    expect(inside.received).toEqual([]);
  });

  it('with a caller that drips its headers: cut off at the limit, while others are served', async () => {
    const { inside, rig } = await pair();
    const { port, hostname } = new URL(rig.url);
    const socket = net.connect(Number(port), hostname);
    const closed = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
    socket.write(`POST ${chat} HTTP/1.1\r\nhost: x\r\n`);
    const drip = setInterval(() => socket.write('x-a: b\r\n'), 20);
    expect((await ask(rig.url + chat, { headers: bearer, body: chatBody() })).status).toBe(200);
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
    expect([inside.received.length, rig.judged.length]).toEqual([1, 1]);
  });

  it('by way of a redirect', async () => {
    const trap = await upstream();
    const { inside, outside, rig } = await pair({ decide: insideOnly });
    inside.setFault({ redirect: `${trap.url}/v1/chat/completions` });
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([told.status, messageOf(told).includes('redirect'), trap.received, outside.received]).toEqual([400, true, [], []]);
  });

  it('by way of a proxy that the environment names', async () => {
    const proxy = await upstream();
    const saved = { ...process.env };
    for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY']) process.env[name] = proxy.url;
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      const { inside, rig } = await pair();
      await ask(rig.url + chat, { headers: bearer, body: chatBody() });
      expect([inside.received.length, proxy.received]).toEqual([1, []]);
    } finally {
      process.env = saved;
    }
  });

  it('to an inside target whose address is not inside', async () => {
    const { outside, rig } = await pair({
      decide: insideOnly,
      config: {
        providers: [provider({ id: 'coder', url: 'http://[64:ff9b::808:808]:1/v1' })],
        models: [{ match: '*', targets: ['coder/*'] }],
      },
    });
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([told.status, messageOf(told).includes('its address is not inside'), outside.received]).toEqual([400, true, []]);
  });
});

describe('a silent upstream', () => {
  it.each<[Dialect, string]>([
    ['anthropic-messages', 'event: ping'],
    ['openai-chat', ': keep-alive'],
    ['openai-responses', ': keep-alive'],
    ['gemini', '\n'],
  ])('shows signs of life in %s before the first byte, then its failure as an error event', async (dialect, sign) => {
    const call = dialectCalls.find(([name]) => name === dialect);
    if (!call) throw new Error(dialect);
    const { inside, outside, rig } = await pair({ decide: insideOnly, limits: { keepAliveMs: 50 } }, dialect, 1000);
    inside.setFault('hang');
    const [to, body] = streamed(call);
    const told = await ask(rig.url + to, { headers: bearer, body });
    expect([told.status, told.headers['content-type'], told.text.startsWith(sign), outside.received]).toEqual([
      200,
      'text/event-stream',
      true,
      [],
    ]);
    expect(told.text.split(sign).length).toBeGreaterThan(3);
    expect(told.text).toMatch(/Intramur refused: no allowed target answered: provider coder: .+no answer began in time/);
    expect(told.text).not.toMatch(ends[dialect]);
  });

  it('that answers after all is passed on behind the signs of life', async () => {
    const slow = await upstream({ chunkDelayMs: 90 });
    const started = await rig({
      config: { providers: [provider({ id: 'p', url: `${slow.url}/v1` })], models: [{ match: '*', targets: ['p/*'] }] },
      limits: { keepAliveMs: 40 },
    });
    const told = await ask(started.url + chat, { headers: bearer, body: chatBody({ stream: true }) });
    expect(told.text).toContain('\n\n: keep-alive\n\ndata:');
    expect(told.text.replaceAll(': keep-alive\n\n', '').endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('is let go when its caller leaves', async () => {
    let isClosed = false;
    const server = http.createServer((request, response) => {
      request.resume();
      response.on('close', () => {
        isClosed = true;
      });
    });
    const started = await rig({
      config: { providers: [provider({ id: 'p', url: await listen(server) })], models: [{ match: '*', targets: ['p/*'] }] },
    });
    const request = http.request(started.url + chat, { method: 'POST', headers: bearer });
    request.on('error', () => {});
    request.end(chatBody());
    await until(() => started.ledger.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    request.destroy();
    await until(() => isClosed && started.ledger.length === 2);
    expect([isClosed, started.ledger[1]?.reason]).toEqual([true, expect.stringContaining('the caller went away')]);
  });
});

it('a stream is passed on with backpressure: what nobody reads is not fetched', async () => {
  let sent = 0;
  const server = http.createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = Buffer.from(`data: {"x":"${'y'.repeat(16_000)}"}\n\n`);
    const more = (): void => {
      while (sent < 64_000_000 && !response.destroyed) {
        sent += event.length;
        if (!response.write(event)) return void response.once('drain', more);
      }
      response.end('data: [DONE]\n\n');
    };
    more();
  });
  const started = await rig({
    config: { providers: [provider({ id: 'p', url: await listen(server) })], models: [{ match: '*', targets: ['p/*'] }] },
  });
  const { port, hostname } = new URL(started.url);
  const body = chatBody({ stream: true });
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(`POST ${chat} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testKey}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  socket.pause();
  await until(() => sent > 100_000);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(sent).toBeLessThan(32_000_000);
  socket.destroy();
});

describe('tools that the provider runs', () => {
  const declared = chatBody({ tools: [{ type: 'web_search' }, { type: 'function', function: { name: 'f' } }] });
  const send = async (body: string, classification: Classification | undefined, providerTools: 'strip' | 'refuse' = 'strip') => {
    const both = await pair({
      config: { providerTools },
      mediate: async ({ act }, _body, append) => ({
        decision: allow(act.action === 'llm.invoke' ? act.targets.slice(0, 1) : []),
        entry: await append({ action: act.action, decision: 'allow' }),
        ...(classification ? { classification } : {}),
      }),
    });
    const told = await ask(both.rig.url + chat, { headers: bearer, body });
    await until(() => both.rig.ledger.length === 2);
    return { ...both, told };
  };

  it('are let through and named for data that everybody may see', async () => {
    const { inside, rig } = await send(declared, 'public');
    expect(inside.received[0]?.body.toString()).toBe(declared.replace('coder', 'qwen3'));
    expect(rig.ledger[1]).toMatchObject({ detail: { providerTools: ['web_search'] } });
  });

  it.each(['internal', 'restricted', undefined] as const)(
    'are taken out of a call with %s data, which the ledger and the reply say',
    async (classification) => {
      const { inside, rig, told } = await send(declared, classification);
      expect(inside.received[0]?.body.toString()).toBe(declared.replace('coder', 'qwen3').replace('{"type":"web_search"},', ''));
      expect(told.headers['x-intramur-lossy']).toBe('tools.web_search');
      expect(rig.ledger[1]).toMatchObject({ status: 200, detail: { strippedTools: ['web_search'] } });
    },
  );

  it.each<[string, string, 'strip' | 'refuse']>([
    ['where the configuration says refuse', declared, 'refuse'],
    ['that is no tool but a setting', chatBody({ web_search_options: {} }), 'strip'],
    [
      'a file that only the provider has',
      chatBody({ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }),
      'strip',
    ],
  ])('%s: refused, nothing sent, on record', async (_name, body, providerTools) => {
    const { inside, outside, rig, told } = await send(body, 'internal', providerTools);
    expect([told.status, inside.received, outside.received]).toEqual([400, [], []]);
    expect(messageOf(told)).toMatch(
      /^Intramur refused: internal data may not be shown to what the provider runs by itself \(\w+\) \(policy provider-tools, ledger entry 0\)$/,
    );
    expect(rig.ledger[1]).toMatchObject({ outcomeOf: 0, decision: 'deny', status: 400 });
  });
});
