import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type Config, defaultConfig } from '../config/index.ts';
import type { ExchangeHead, ExchangeReply, Principal } from '../core/index.ts';
import { detectCall } from '../wire/index.ts';
import { chatBody, provider, type Rig, startRig, until } from './test-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

const pem = (name: string): string => fs.readFileSync(path.join(import.meta.dirname, 'testdata', name), 'utf8');
const authority = pem('test-ca.pem');

interface Seen {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

interface Server {
  readonly port: number;
  readonly seen: Seen[];
}

async function serve(answer: http.RequestListener, isTls = false): Promise<Server> {
  const seen: Seen[] = [];
  const onRequest: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  };
  const server = isTls
    ? https.createServer({ key: pem('test-server.key'), cert: pem('test-server.pem') }, onRequest)
    : http.createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

const principal: Principal = {
  session: 's1',
  user: 'alice',
  agent: 'claude-code',
  vetting: 'vetted',
  purpose: 'research',
  classification: 'public',
  via: 'sandbox',
};

function head(fields: Partial<ExchangeHead>): ExchangeHead {
  return {
    scheme: 'https',
    host: 'model.example',
    port: 443,
    isDirect: false,
    via: 'transparent',
    method: 'GET',
    target: '/',
    httpVersion: '1.1',
    rawHeaders: [],
    ...fields,
  };
}

const rule = (port: number, host = 'model.example', at = 443): Config['resolve'][number] => ({
  host,
  port: at,
  address: '127.0.0.1',
  targetPort: port,
});

async function rig(config: Partial<Config>): Promise<Rig> {
  const started = await startRig({ config });
  open.push(started);
  return started;
}

interface Got {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly text: string;
  readonly isWhole: boolean;
}

async function read({ status, rawHeaders, body }: ExchangeReply): Promise<Got> {
  if (!(body instanceof Readable)) return { status, rawHeaders, text: Buffer.from(body).toString(), isWhole: true };
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(Buffer.from(chunk as Uint8Array));
    return { status, rawHeaders, text: Buffer.concat(chunks).toString('latin1'), isWhole: true };
  } catch {
    return { status, rawHeaders, text: Buffer.concat(chunks).toString('latin1'), isWhole: false };
  }
}

async function direct(on: Rig, fields: Partial<ExchangeHead>, body = ''): Promise<Got> {
  const signal = new AbortController().signal;
  return read(await on.gateway.forwardDirect({ head: head(fields), body: Buffer.from(body), principal, entry: { index: 7 }, signal }));
}

describe('a direct exchange', () => {
  it('goes to its host whole and comes back unchanged, over verified TLS', async () => {
    const packed = gzipSync('{}');
    const server = await serve(
      (_request, response) =>
        response.writeHead(201, { 'content-encoding': 'gzip', 'X-Own': 'a', connection: 'x-hop', 'x-hop': '1' }).end(packed),
      true,
    );
    const on = await rig({ resolve: [rule(server.port)], trust: [authority] });
    const got = await direct(
      on,
      {
        method: 'PUT',
        target: '/a?b=c',
        rawHeaders: ['User-Agent', 'git/2', 'X-Intramur-Session', 's', 'Connection', 'x-mine', 'X-Mine', '1'],
      },
      'data',
    );
    expect([got.status, got.text, got.isWhole]).toEqual([201, packed.toString('latin1'), true]);
    const names = got.rawHeaders.filter((_, i) => i % 2 === 0);
    expect(names).toContain('X-Own');
    expect(names.map((name) => name.toLowerCase())).not.toContain('x-hop');
    expect(server.seen).toEqual([
      {
        url: '/a?b=c',
        body: 'data',
        headers: { host: 'model.example', connection: 'keep-alive', 'content-length': '4', 'user-agent': 'git/2' },
      },
    ]);
    await until(() => on.ledger.length === 1);
    expect(on.ledger[0]).toMatchObject({ outcomeOf: 7, status: 201, bytesOut: 4, bytesIn: packed.length });
  });

  it.each<[string, Partial<Config>, string]>([
    ['an authority that nobody trusts', { trust: [] }, 'model.example'],
    ['a certificate for another name', { trust: [authority] }, 'other.example'],
  ])('is refused with %s', async (_name, config, host) => {
    const server = await serve((_request, response) => response.end('secret'), true);
    const on = await rig({ ...config, resolve: [rule(server.port, host)] });
    const got = await direct(on, { host });
    expect([got.status, got.text.includes('the connection failed'), server.seen]).toEqual([502, true, []]);
  });

  it('hands a redirect back and does not follow it', async () => {
    const trap = await serve((_request, response) => response.end());
    const server = await serve((_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${trap.port}/` }).end());
    const on = await rig({ resolve: [rule(server.port, 'model.example', 80)] });
    const got = await direct(on, { scheme: 'http', port: 80 });
    expect([got.status, trap.seen]).toEqual([302, []]);
  });

  it('that breaks off does not look whole', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.socket?.destroy());
    });
    const on = await rig({ resolve: [rule(server.port, 'model.example', 80)] });
    const got = await direct(on, { scheme: 'http', port: 80 });
    expect([got.status, got.text, got.isWhole]).toEqual([200, 'half', false]);
    await until(() => on.ledger.length === 1);
    expect(on.ledger[0]?.reason).toContain('broke off');
  });

  it.each([
    ['localhost.evil.example.', '127.0.0.1 behind a name'],
    ['unresolvable.invalid', 'a name without address'],
  ])('to %s is unreachable', async (host) => {
    const on = await rig({ resolvers: ['127.0.0.1:9'] });
    expect((await direct(on, { host, scheme: 'http', port: 80 })).status).toBe(502);
  });

  it('carries the real credential to its own host only', async () => {
    const server = await serve((_request, response) => response.end('ok'), true);
    const on = await rig({ resolve: [rule(server.port), rule(server.port, 'evil.example')], trust: [authority] });
    const { token = '' } = on.vault.issue('s1', [
      { id: 'token', value: 'real-token', hosts: ['model.example'], pathPrefix: '/api', prefix: 'ghp_' },
    ]);
    const rawHeaders = ['Authorization', `Bearer ${token}`];
    expect((await direct(on, { target: '/api/x', rawHeaders })).status).toBe(200);
    const elsewhere = await Promise.all([
      direct(on, { target: '/other', rawHeaders }),
      direct(on, { host: 'evil.example', target: '/api/x', rawHeaders }),
      direct(on, { target: `/q?x=${token}` }),
    ]);
    for (const { status, text } of elsewhere)
      expect([status, text]).toEqual([
        403,
        expect.stringMatching(/^Intramur refused: a placeholder was sent .+ \(policy credentials, ledger entry 7\)/),
      ]);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer real-token']);
    await until(() => on.ledger.length === 4);
    expect(on.ledger.filter(({ decision }) => decision === 'deny').length).toBe(3);
  });
});

describe("a model call with the caller's own credential", () => {
  const vendor = provider({
    id: 'anthropic',
    dialect: 'anthropic-messages',
    url: 'https://api.anthropic.com',
    perimeter: 'public',
    credential: 'client',
  });
  const own = provider({ id: 'chat', dialect: 'openai-chat', url: 'https://api.openai.com/v1', perimeter: 'public', credential: 'client' });
  const models = [{ match: '*', targets: ['anthropic/*', 'chat/*'] }];
  const body = JSON.stringify({ model: 'claude', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] });
  const answer: http.RequestListener = (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}');

  /** Only the name differs from a real one: the test certificate stands for `model.example`. */
  async function intercepted(
    fields: Partial<ExchangeHead>,
    secret = { hosts: ['api.anthropic.com'] },
  ): Promise<{ got: Got; seen: Seen[]; on: Rig; placeholder: string }> {
    const server = await serve(answer);
    const insecure = { ...vendor, url: 'http://localhost' };
    const on = await rig({
      ...defaultConfig,
      providers: [insecure, own],
      models,
      resolve: [rule(server.port, 'localhost', 80), rule(server.port, 'api.anthropic.com')],
    });
    const { k = '' } = on.vault.issue('s1', [{ id: 'k', value: 'real-key', pathPrefix: '/', prefix: 'sk-ant-', ...secret }]);
    const asked = head({
      via: 'gateway',
      method: 'POST',
      host: '127.0.0.1',
      port: 1,
      target: '/v1/messages?beta=true',
      rawHeaders: ['x-api-key', k, 'anthropic-version', '2023-06-01', 'cookie', 'a'],
      ...fields,
    });
    const call = detectCall(asked);
    if (call.kind === 'unknown') throw new Error('no call');
    const got = await read(
      await on.gateway.handle(call, asked, Readable.from([Buffer.from(body)]), principal, new AbortController().signal),
    );
    return { got, seen: server.seen, on, placeholder: k };
  }

  it('gets the real key in place of the placeholder, at the provider that it belongs to', async () => {
    const { got, seen } = await intercepted({}, { hosts: ['localhost'] });
    expect([got.status, seen[0]?.url, seen[0]?.headers['x-api-key'], seen[0]?.headers.cookie]).toEqual([
      200,
      '/v1/messages?beta=true',
      'real-key',
      undefined,
    ]);
  });

  it('has no target where the placeholder does not belong', async () => {
    const { got, seen, placeholder } = await intercepted({}, { hosts: ['other.example'] });
    expect([got.status, seen]).toEqual([400, []]);
    expect(got.text).toContain('Intramur refused: the model map has no target');
    expect(got.text).not.toContain(placeholder);
  });

  it('has nothing in what the vendor gets that was not looked at', async () => {
    const server = await serve(answer);
    const on = await rig({ ...defaultConfig, providers: [vendor], models, resolve: [rule(server.port, 'api.anthropic.com', 80)] });
    const names = ['authorization', 'x-api-key', 'x-goog-api-key', 'x-goog-anything', 'x-app', 'user-agent', 'originator', 'openai-beta'];
    const asked = head({
      scheme: 'http',
      host: 'api.anthropic.com',
      port: 80,
      method: 'POST',
      target: '/v1/messages?key=mark-key&access_token=mark-token&other=mark-other',
      rawHeaders: [...names, 'anthropic-whatever', 'x-unknown'].flatMap((name) => [name, `mark-${name}`]),
    });
    const call = detectCall(asked, 'vendor');
    if (call.kind === 'unknown') throw new Error('no call');
    const { status } = await read(
      await on.gateway.handle(call, asked, Readable.from([Buffer.from(body)]), principal, new AbortController().signal),
    );
    const { url = '', headers = {} } = server.seen[0] ?? {};
    const marksIn = (texts: unknown): string[] => [...new Set(JSON.stringify(texts).match(/mark-[a-z-]+/g))].sort();
    expect([status, marksIn([url, headers])]).toEqual([200, marksIn(on.judged[0]?.body.views)]);
    expect(marksIn([url, headers])).toContain('mark-authorization');
  });

  it('is no target for somebody outside the sandbox, nor for an exchange on its way to another service', async () => {
    const { on } = await intercepted({});
    const judge = async (fields: Partial<ExchangeHead>, who: Principal, to: string, text: string): Promise<number> => {
      const asked = head({ method: 'POST', target: to, ...fields });
      const call = detectCall(asked, 'vendor');
      if (call.kind === 'unknown') throw new Error('no call');
      return (await read(await on.gateway.handle(call, asked, Readable.from([Buffer.from(text)]), who, new AbortController().signal)))
        .status;
    };
    const before = on.judged.length;
    expect(await judge({ host: 'api.openai.com' }, { ...principal, via: 'key' }, '/v1/chat/completions', chatBody())).toBe(400);
    expect(await judge({ host: 'api.deepseek.com' }, principal, '/v1/chat/completions', chatBody())).toBe(400);
    expect(on.judged.length).toBe(before);
  });
});

it('an authority that is no certificate ends calls, not the process', async () => {
  const server = await serve((_request, response) => response.end(), true);
  const on = await rig({ resolve: [rule(server.port)], trust: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'] });
  const got = await direct(on, {});
  expect([got.status, server.seen]).toEqual([502, []]);
});
