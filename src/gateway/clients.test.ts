import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { defaultConfig, type Register } from '../config/index.ts';
import { type FakeUpstream, startFakeUpstream } from '../testing/index.ts';
import { createBudgets, usedBy } from './budget.ts';
import { writeKeys } from './key-file.ts';
import { createKeyring, hashOf, type Keyring } from './keyring.ts';
import { ask, bearer, chatBody, provider, type Rig, type RigOptions, startRig, type Told, testKey, until } from './test-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

/** A provider for each dialect at one upstream that serves all. */
async function everything(options: RigOptions = {}): Promise<{ upstream: FakeUpstream; rig: Rig }> {
  const upstream = await startFakeUpstream({ script: [{ text: 'hello back' }] });
  open.push(upstream);
  const rig = await startRig({
    ...options,
    config: {
      providers: [
        provider({ id: 'a', dialect: 'anthropic-messages', url: upstream.url }),
        provider({ id: 'c', dialect: 'openai-chat', url: `${upstream.url}/v1` }),
        provider({ id: 'r', dialect: 'openai-responses', url: `${upstream.url}/v1` }),
        provider({ id: 'g', dialect: 'gemini', url: upstream.url }),
      ],
      models: [{ match: 'coder', targets: ['a/m', 'c/m', 'r/m', 'g/m'] }],
      ...options.config,
    },
  });
  open.push(rig);
  return { upstream, rig };
}

const calls: readonly (readonly [string, string])[] = [
  ['/v1/messages?beta=true', JSON.stringify({ model: 'coder', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] })],
  ['/v1/messages/count_tokens', JSON.stringify({ model: 'coder', messages: [{ role: 'user', content: 'hello' }] })],
  ['/v1/chat/completions', chatBody()],
  ['/v1/responses', JSON.stringify({ model: 'coder', input: 'hello' })],
  ['/v1beta/models/coder:generateContent', JSON.stringify({ contents: [{ parts: [{ text: 'hello' }] }] })],
  ['/v1beta/models/coder:streamGenerateContent?alt=sse', JSON.stringify({ contents: [{ parts: [{ text: 'hello' }] }] })],
  ['/v1beta/models/coder:streamGenerateContent', JSON.stringify({ contents: [{ parts: [{ text: 'hello' }] }] })],
  ['/v1beta/models/coder:countTokens', JSON.stringify({ contents: [{ parts: [{ text: 'hello' }] }] })],
];

const carriers: readonly (readonly [string, (key: string) => { headers: http.OutgoingHttpHeaders; query?: string }])[] = [
  ['Bearer', (key) => ({ headers: { authorization: `Bearer ${key}` } })],
  ['bearer in lower case', (key) => ({ headers: { authorization: `bearer  ${key}` } })],
  ['x-api-key', (key) => ({ headers: { 'x-api-key': key } })],
  ['x-goog-api-key', (key) => ({ headers: { 'x-goog-api-key': key } })],
  ['?key=', (key) => ({ headers: {}, query: `key=${key}` })],
];

describe.each(carriers)('a key as %s', (_name, carry) => {
  it('is good on every path, and never goes upstream', async () => {
    const { upstream, rig } = await everything();
    const { headers, query } = carry(testKey);
    for (const [path, body] of calls) {
      const told = await ask(`${rig.url}${path}${query ? `${path.includes('?') ? '&' : '?'}${query}` : ''}`, { headers, body });
      expect([path, told.status]).toEqual([path, 200]);
    }
    expect(upstream.received.map(({ path }) => path)).toEqual(calls.map(([path]) => path.replace('models/coder', 'models/m')));
    expect(JSON.stringify(upstream.received.map(({ path, rawHeaders }) => [path, rawHeaders]))).not.toContain(testKey);
  });

  it.each([
    ['/v1/messages', { type: 'error', error: { type: 'authentication_error' } }],
    ['/v1/chat/completions', { error: { code: 'invalid_api_key' } }],
    ['/v1/responses', { error: { code: 'invalid_api_key' } }],
    ['/v1beta/models/coder:generateContent', { error: { code: 401, status: 'UNAUTHENTICATED' } }],
  ])('that is not known is a 401 in the shape of %s', async (path, shape) => {
    const { upstream, rig } = await everything();
    const { headers, query } = carry('sk-unknown');
    const told = await ask(`${rig.url}${path}${query ? `?${query}` : ''}`, { headers, body: '{}' });
    expect([told.status, JSON.parse(told.text)]).toMatchObject([401, shape]);
    const without = await ask(rig.url + path, { body: '{}' });
    expect([without.status, JSON.parse(without.text), upstream.received]).toMatchObject([401, shape, []]);
  });
});

describe('beside calls', () => {
  it.each([
    ['GET', '/v1/files'],
    ['POST', '/v1/embeddings'],
    ['POST', '/v1/messages/batches'],
    ['POST', '/v1/chat/completions/'],
    ['POST', '/v1/../v1/chat/completions'],
    ['POST', '/V1/chat/completions'],
    ['POST', '/v1beta/models/coder:embedContent'],
    ['POST', '/v1beta/models/..%2fx:generateContent'],
    ['GET', '/v1/chat/completions'],
    ['DELETE', '/v1/responses/resp_1'],
    ['GET', '/'],
    ['POST', 'http://evil.example/v1/chat/completions'],
  ])('%s %s is a 4xx without an upstream call', async (method, path) => {
    const { upstream, rig } = await everything();
    const told = await askTarget(rig.url, method, path);
    expect([Math.floor(told / 100), upstream.received]).toEqual([4, []]);
  });

  it('the lists of models show the names of the map, in each dialect', async () => {
    const { upstream, rig } = await everything({
      config: {
        models: [
          { match: 'fast', targets: ['c/m'] },
          { match: '*', targets: ['c/*'] },
        ],
      },
    });
    const list = async (path: string, headers: http.OutgoingHttpHeaders = {}): Promise<unknown> =>
      JSON.parse((await ask(rig.url + path, { method: 'GET', headers: { ...bearer, ...headers } })).text);
    expect(await list('/v1/models')).toMatchObject({ object: 'list', data: [{ id: 'fast' }, { id: '*' }] });
    expect(await list('/v1/models', { 'anthropic-version': '2023-06-01' })).toMatchObject({
      data: [{ type: 'model', id: 'fast' }, { id: '*' }],
      has_more: false,
    });
    expect(await list('/v1beta/models')).toMatchObject({ models: [{ name: 'models/fast' }, { name: 'models/*' }] });
    expect(upstream.received).toEqual([]);
  });

  it('a probe needs no key, a WebSocket is told to use HTTP', async () => {
    const { rig } = await everything();
    const probe = await ask(rig.url, { method: 'HEAD' });
    const socket = await ask(`${rig.url}/v1/responses`, {
      method: 'GET',
      headers: { ...bearer, connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'x' },
    });
    expect([probe.status, socket.status]).toEqual([200, 426]);
  });
});

/** A request target as it stands, which a URL would have tidied. */
function askTarget(url: string, method: string, target: string): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, method, path: target, headers: bearer, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject);
    request.end();
  });
}

it('a connection is kept longer than clients keep theirs, and they are told so', async () => {
  const { rig } = await everything();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const told = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request(`${rig.url}/v1/models`, { agent, headers: bearer }, resolve);
    request.on('error', reject).end();
  });
  told.resume();
  expect(told.headers['keep-alive']).toBe('timeout=600');
  agent.destroy();
});

describe('the caller', () => {
  it.each<[string, http.OutgoingHttpHeaders, Record<string, unknown>]>([
    ['of a key alone', {}, { session: 'key:ide' }],
    ['of a session', { 'x-session-id': 'c', 'session-id': 'b', 'x-claude-code-session-id': 'a' }, { session: 'key:ide:a' }],
    ['of our own header first', { 'x-intramur-session': 'mine', 'x-claude-code-session-id': 'a' }, { session: 'key:ide:mine' }],
    [
      'cannot take the name of a session in the sandbox',
      { 'x-intramur-session': '20260101-000000-abcd' },
      { session: 'key:ide:20260101-000000-abcd' },
    ],
    ['with a name of any form', { 'x-intramur-session': '../../etc' }, { session: expect.stringMatching(/^key:ide:[0-9a-f]{32}$/) }],
    [
      'is not made to look better by a header',
      { 'user-agent': 'claude-cli/2.1.330 (external)', 'x-intramur-purpose': 'research' },
      { agent: 'qwen-code', vetting: 'vetted', purpose: 'production', classification: 'internal' },
    ],
    ['of a banned tool by its user agent', { 'user-agent': 'codex_exec/0.169.0 (x)' }, { agent: 'qwen-code', vetting: 'banned' }],
  ])('%s', async (_name, headers, expected) => {
    const { rig } = await everything({
      config: {
        keys: [{ id: 'ide', sha256: hashOf(testKey), user: 'alice', tool: 'qwen-code', purpose: 'production', classification: 'internal' }],
        tools: { 'qwen-code': { status: 'vetted' }, codex: { status: 'banned' }, 'claude-code': { status: 'unvetted' } },
      },
    });
    await ask(`${rig.url}/v1/chat/completions`, { headers: { ...bearer, ...headers }, body: chatBody() });
    expect(rig.judged[0]?.request.principal).toMatchObject(expected);
  });

  it.each([
    ['QwenCode/0.24.4 (linux; x64)', 'vetted'],
    ['QwenCode/0.15.10 (linux; x64)', 'unvetted'],
    ['curl/9.9.9', 'unvetted'],
  ])('of a tool that is vetted from a version on, with %s, is %s', async (userAgent, vetting) => {
    const { rig } = await everything({ config: { tools: { 'qwen-code': { status: 'vetted', versions: '>=0.24' } } } });
    await ask(`${rig.url}/v1/chat/completions`, { headers: { ...bearer, 'user-agent': userAgent }, body: chatBody() });
    expect(rig.judged[0]?.request.principal).toMatchObject({ agent: 'qwen-code', vetting });
  });

  it('without a tool of its own is known by its user agent', async () => {
    const { rig } = await everything({ config: { keys: [{ id: 'any', sha256: hashOf(testKey) }] } });
    for (const agent of ['claude-cli/2.1.330 (external, cli)', 'OpenAI/Python 1.2.3', 'Open WebUI'])
      await ask(`${rig.url}/v1/chat/completions`, { headers: { ...bearer, 'user-agent': agent }, body: chatBody() });
    const seen = rig.judged.map(({ request: { principal } }) => [
      principal.user,
      principal.agent,
      principal.agentVersion,
      principal.vetting,
    ]);
    expect(seen).toEqual([
      ['any', 'claude-code', '2.1.330', 'unvetted'],
      ['any', 'openai', undefined, 'unvetted'],
      ['any', 'open', undefined, 'unvetted'],
    ]);
  });
});

it('what goes on from the keyring holds no key, not even a second or unknown one', async () => {
  const { rig } = await everything();
  const caller = rig.keyring.authenticate({
    scheme: 'http',
    host: '127.0.0.1',
    port: 1,
    isDirect: false,
    via: 'gateway',
    method: 'POST',
    target: '/v1/responses?a=b&key=other&%6bey=third&c',
    httpVersion: '1.1',
    rawHeaders: ['X-Api-Key', testKey, 'Authorization', 'Basic x', 'x-goog-api-key', 'second', 'Accept', '*/*'],
  });
  expect(caller?.head).toMatchObject({ target: '/v1/responses?a=b&c', rawHeaders: ['Accept', '*/*'] });
});

it.each([
  ['a', '/v1/messages', '/v1/messages'],
  ['c', '/v1/chat/completions', '/v1/chat/completions'],
  ['g', '/v1beta/models/mark-%6dodel:generateContent', '/v1beta/models/mark-model:generateContent'],
])('what goes up beside the body was looked at, and nothing else: %s', async (id, path, sent) => {
  const { upstream, rig } = await everything({ config: { models: [{ match: '*', targets: [`${id}/*`] }] } });
  const names = ['anthropic-version', 'anthropic-beta', 'openai-beta', 'user-agent', 'x-app', 'x-goog-anything', 'x-unknown'];
  const marked = Object.fromEntries(names.map((name) => [name, `mark-${name}`]));
  const body = id === 'g' ? JSON.stringify({ contents: [{ parts: [{ text: 'hello' }] }] }) : chatBody({ max_tokens: 9 });
  const told = await ask(`${rig.url}${path}?other=mark-other&key=mark-key`, { headers: { ...bearer, ...marked }, body });
  const [received] = upstream.received;
  const marksIn = (texts: unknown): string[] => [...new Set(JSON.stringify(texts).match(/mark-[a-z-]+/g))].sort();
  expect([told.status, received?.path.split('?')[0]]).toEqual([200, sent]);
  expect(marksIn([received?.path, received?.rawHeaders])).toEqual(marksIn(rig.judged[0]?.body.views));
  expect(marksIn(rig.judged[0]?.body.views)).toContain('mark-anthropic-beta');
});

describe('a ban that comes while the gateway runs', () => {
  const keys = [{ id: 'ide', sha256: hashOf(testKey) }];
  let register: Register = [];
  function rigged(): { keyring: Keyring; both(): unknown[] } {
    register = [];
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'keyring-')), 'keys.json');
    open.push({ close: async () => fs.rmSync(path.dirname(file), { recursive: true }) });
    writeKeys(file, [{ id: 'new', sha256: hashOf('added') }]);
    const keyring = createKeyring({ config: { ...defaultConfig, keys }, file, register: () => register, now: () => new Date() });
    const vetting = (key: string, userAgent: string): unknown =>
      keyring.authenticate({
        scheme: 'http',
        host: '127.0.0.1',
        port: 1,
        isDirect: false,
        via: 'gateway',
        method: 'POST',
        target: '/v1/messages',
        httpVersion: '1.1',
        rawHeaders: ['x-api-key', key, 'user-agent', userAgent],
      })?.principal.vetting;
    return {
      keyring,
      both: () => [testKey, 'added'].flatMap((key) => ['some-tool/1.0', 'other-tool/1.0'].map((tool) => vetting(key, tool))),
    };
  }
  const free = ['unvetted', 'unvetted', 'unvetted', 'unvetted'];
  const banned = ['banned', 'unvetted', 'banned', 'unvetted'];

  it('by the register holds from the next call on, and so does its end', () => {
    const { both } = rigged();
    const before = [both(), both()];
    register = [{ verb: 'ban', agent: 'some-tool', by: 'alice', at: '2026-01-01T00:00:00Z' }];
    const during = [both(), both()];
    register = [];
    expect([before, during, both()]).toEqual([[free, free], [banned, banned], free]);
  });

  it('by the configuration holds from the next call on, and so does its end', () => {
    const { keyring, both } = rigged();
    const before = [both(), both()];
    keyring.reload({ ...defaultConfig, keys, tools: { 'some-tool': { status: 'banned' } } });
    const during = [both(), both()];
    keyring.reload({ ...defaultConfig, keys });
    expect([before, during, both()]).toEqual([[free, free], [banned, banned], free]);
  });
});

describe('a key of the state file', () => {
  it('is good, and revoked, while the gateway runs', async () => {
    const { rig } = await everything();
    const status = async (): Promise<number> =>
      (await ask(`${rig.url}/v1/chat/completions`, { headers: { 'x-api-key': 'added' }, body: chatBody() })).status;
    const becomes = async (expected: number): Promise<boolean> => {
      for (let i = 0; i < 50; i++) {
        if ((await status()) === expected) return true;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return false;
    };
    const before = await status();
    writeKeys(rig.keyFile, [{ id: 'new', sha256: hashOf('added') }]);
    const added = await becomes(200);
    writeKeys(rig.keyFile, []);
    expect([before, added, await becomes(401)]).toEqual([401, true, true]);
  });
});

describe('a budget', () => {
  const now = { at: new Date('2026-03-01T10:00:00Z') };
  const withBudget = (budget: object): RigOptions => ({
    now: () => now.at,
    config: { keys: [{ id: 'ide', sha256: hashOf(testKey), budget: { per: 'day', ...budget } }] },
  });

  it.each<[string, object, number]>([
    ['requests', { requests: 2 }, 2],
    ['tokens', { tokens: 15 }, 2],
    ['usd, of which inside costs none', { usd: 0.01 }, 3],
    ['nothing at all', { requests: 0 }, 0],
  ])('of %s ends in a 400 that says so', async (_name, budget, allowed) => {
    now.at = new Date('2026-03-01T10:00:00Z');
    const { upstream, rig } = await everything(withBudget(budget));
    const told: Told[] = [];
    for (let i = 0; i < 3; i++) {
      told.push(await ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body: chatBody() }));
      await until(() => rig.ledger.length === told.length * 2 || told.at(-1)?.status === 400);
    }
    expect([told.map(({ status }) => status), upstream.received.length]).toEqual([[200, 200, 200].fill(400, allowed), allowed]);
    for (const { text } of told.slice(allowed))
      expect(JSON.parse(text).error.message).toMatch(
        /^Intramur refused: the budget of key ide is used up: .+ per day \(policy budget, ledger entry \d\)$/,
      );
    now.at = new Date('2026-03-02T00:00:00Z');
    if (!('requests' in budget && budget.requests === 0))
      expect((await ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body: chatBody() })).status).toBe(200);
  });

  it('holds what was used before the call is answered, for the command line and for a daemon after one that was killed', async () => {
    now.at = new Date('2026-03-01T10:00:00Z');
    const { rig } = await everything(withBudget({ requests: 2 }));
    const key = { id: 'ide', sha256: '', budget: { requests: 2, per: 'day' } } as const;
    for (const requests of [1, 2]) {
      await ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body: chatBody() });
      expect(usedBy(rig.keyFile, now.at)(key)).toEqual({ requests, tokens: expect.any(Number), usd: 0 });
      expect(usedBy(rig.keyFile, now.at)(key).tokens).toBeGreaterThan(0);
    }
    const next = createBudgets(
      rig.keyFile,
      () => now.at,
      () => {},
    );
    expect(next.allowanceOf(key).take()).toMatch(/used up: 2 requests per day/);
    next.close();
  });

  it('is not overdrawn by calls at the same time', async () => {
    const { rig } = await everything(withBudget({ requests: 3 }));
    const told = await Promise.all(
      Array.from({ length: 8 }, () => ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body: chatBody() })),
    );
    expect(told.filter(({ status }) => status === 200).length).toBe(3);
  });
});
