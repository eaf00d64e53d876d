// Targets that fail: which is asked next, what the client is told, and that it is never one outside.
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Target } from '../core/index.ts';
import type { Fault } from '../testing/index.ts';
import { allow, ask, bearer, chatBody, provider, until } from './test-rig.ts';
import { chat, closeAll, dialectCalls, ends, insideOnly, listen, messageOf, open, pair, rig, streamed, upstream } from './testdata/pair.ts';

afterEach(closeAll);

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

it('when to come back, which Google says in the body, stands in the header for all others', async () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '33.5s' }];
  const error = { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED', details };
  const google = http.createServer((_, response) =>
    response.writeHead(429, { 'content-type': 'application/json' }).end(JSON.stringify({ error })),
  );
  const started = await rig({
    config: {
      providers: [provider({ id: 'p', url: await listen(google), dialect: 'gemini' })],
      models: [{ match: '*', targets: ['p/m'] }],
    },
  });
  const told = await ask(started.url + chat, { headers: bearer, body: chatBody() });
  expect([told.status, told.headers['retry-after'], messageOf(told)]).toEqual([429, '34', 'slow down']);
});

it.each(dialectCalls.map((call) => [call[0], call] as const))(
  'a page of a proxy in front of the upstream is an error in the words of the dialect: %s',
  async (dialect, call) => {
    const proxy = http.createServer((_, response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>'),
    );
    const url = `${await listen(proxy)}${dialect.startsWith('openai') ? '/v1' : ''}`;
    const started = await rig({
      config: { providers: [provider({ id: 'coder', url, dialect })], models: [{ match: '*', targets: ['coder/m'] }] },
    });
    const [, to, body] = call;
    for (const [where, sent] of [[to, JSON.stringify(body)], streamed(call)] as const) {
      const told = await ask(started.url + where, { headers: bearer, body: sent });
      const said = 'the upstream answered with status 502';
      expect([told.status, told.headers['content-type'], messageOf(told)]).toEqual([502, 'application/json', said]);
    }
  },
);

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
