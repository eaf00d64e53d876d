// Logins that expire, renewed through the daemon: judged by canaries. No real token may ever be in what goes inside, none may go anywhere
// but to its token endpoint, and the user's own file has to stay good.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adapters } from '../../agents/index.ts';
import type { ExchangeHead } from '../../core/index.ts';
import type { RehearsedTokens } from '../../testing/index.ts';
import { expectNothingReal, renewal, type Site, siteIn } from './testdata/site.ts';

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'logins-'));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

const siteFor = (agent?: string, expiresIn?: number): Site => siteIn(dir, agent, expiresIn);

describe('a renewal', () => {
  it('gets new placeholders inside, and new tokens in the user file, which keeps mode, links and everything else', async () => {
    const site = siteFor();
    fs.renameSync(site.file, path.join(dir, 'target.json'));
    fs.symlinkSync('target.json', site.file);
    const { session, placeholders } = site.open('s1');
    const before = site.endpoint.current;
    const answer = await site.ask(session, { ...renewal(site, placeholders['login:refresh']), scope: 'openid' });
    expect(answer).toMatchObject({ status: 200, fields: { token_type: 'Bearer', expires_in: 3600, scope: 'openid profile' } });
    const { fields } = answer as { fields: Record<string, string> };
    expect(fields['access_token']).not.toBe(placeholders['login:access']);
    expect(site.restored(session, fields['access_token'] ?? '')).toBe(`Bearer ${site.endpoint.current.access}`);
    expect(site.restored(session, placeholders['login:access'] ?? '')).toBe(`Bearer ${site.endpoint.current.access}`);
    expect(site.stored()).toMatchObject({
      kept: 'as it was',
      tokens: { access_token: site.endpoint.current.access, refresh_token: site.endpoint.current.refresh },
      last_refresh: '2026-01-01T00:00:00.000Z',
    });
    expect(site.endpoint.current.refresh).not.toBe(before.refresh);
    expect(fs.lstatSync(site.file).isSymbolicLink()).toBe(true);
    expect(fs.statSync(site.file).mode & 0o777).toBe(0o640);
    expect(fs.readdirSync(dir).toSorted()).toEqual([path.basename(site.file), 'target.json'].toSorted());
    expectNothingReal(site);
  });

  it('leaves in our words: no byte that the agent chose goes along', async () => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    const { refresh } = site.endpoint.current;
    const fields = {
      ...renewal(site, placeholders['login:refresh']),
      scope: 'the source of the product, say',
      reason: placeholders['login:refresh'] ?? '',
    };
    await site.ask(session, fields, { rawHeaders: ['content-type', 'application/json', 'user-agent', 'smuggled', 'x-data', 'smuggled'] });
    expect(site.sent).toEqual([
      {
        host: 'auth.openai.com',
        path: '/oauth/token',
        headers: [
          'content-type',
          'application/json',
          'accept',
          'application/json',
          'accept-encoding',
          'identity',
          'user-agent',
          'intramur',
        ],
        body: JSON.stringify({ grant_type: 'refresh_token', refresh_token: refresh, client_id: 'app_EMoamEEZ73f0CkXaXp7hrann' }),
      },
    ]);
  });

  it.each(adapters.map(({ id }) => id).filter((id) => id !== 'gemini-cli'))('works in the form of %s', async (agent) => {
    const site = siteFor(agent);
    const { session, placeholders } = site.open('s1');
    const refresh = Object.entries(placeholders).find(([id]) => id.endsWith(':refresh'))?.[1];
    expect(await site.ask(session, renewal(site, refresh))).toMatchObject({ status: 200 });
    expect(JSON.stringify(site.stored())).toContain(site.endpoint.current.refresh);
    expectNothingReal(site);
  });

  it.each<[string, string | undefined]>([
    ['portal.qwen.ai', 'portal.qwen.ai'],
    ['evil.example', undefined],
  ])('of qwen-code says at which host the token is good, where it is known: %s', async (host, expected) => {
    const site = siteFor('qwen-code');
    const { session, placeholders } = site.open('s1');
    site.endpoint.bend((tokens) => ({ status: 200, headers: {}, body: JSON.stringify({ ...tokens, resource_url: host }) }));
    const answer = await site.ask(session, renewal(site, placeholders['login:refresh']));
    expect(answer).toMatchObject({ status: 200 });
    const { fields } = answer as { fields: Record<string, unknown> };
    expect([fields['resource_url'], site.stored()['resource_url']]).toEqual([expected, expected]);
  });

  it('of gemini-cli needs the client secret that every copy holds', async () => {
    const site = siteFor('gemini-cli');
    const { session, placeholders } = site.open('s1');
    const fields = renewal(site, placeholders['login:refresh']);
    expect(await site.ask(session, fields)).toContain('another client secret');
    expect(await site.ask(session, { ...fields, client_secret: 'GOCSPX-of-somebody-else' })).toContain('another client secret');
    expect(site.sent).toEqual([]);
  });
});

describe('two who renew', () => {
  it('at once, in two sessions: the vendor is asked once, both get placeholders of their own', async () => {
    const site = siteFor();
    const [a, b] = [site.open('a'), site.open('b')];
    const ask = ({ session, placeholders }: typeof a) => site.ask(session, renewal(site, placeholders['login:refresh']));
    const answers = (await Promise.all([ask(a), ask(b), ask(a), ask(b)])) as { fields: Record<string, string> }[];
    expect(site.sent.length).toBe(1);
    const tokens = answers.map(({ fields }) => fields['access_token'] ?? '');
    expect(new Set(tokens).size).toBe(4);
    expect(site.restored(b.session, tokens[1] ?? '')).toBe(`Bearer ${site.endpoint.current.access}`);
    expect(() => site.restored(b.session, tokens[0] ?? '')).toThrow('placeholder');
    expectNothingReal(site);
  });

  it('one after the other, an hour apart: each is asked, in turn, with the newest token', async () => {
    const site = siteFor('codex', undefined);
    const [a, b] = [site.open('a'), site.open('b')];
    for (const { session, placeholders } of [a, b, a, b]) {
      site.clock += 3_600_000;
      expect(await site.ask(session, renewal(site, placeholders['login:refresh']))).toMatchObject({ status: 200 });
    }
    // The second session is served what the first got, then asks itself.
    expect(site.sent.length).toBeLessThanOrEqual(4);
    expect(new Set(site.sent.map(({ body }) => body)).size).toBe(site.sent.length);
    expect(JSON.stringify(site.stored())).toContain(site.endpoint.current.refresh);
  });

  it('the agent outside did so meanwhile: its tokens are handed on, nothing is written over them', async () => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    site.endpoint.answer(JSON.stringify({ grant_type: 'refresh_token', refresh_token: site.endpoint.current.refresh }));
    const { access, refresh } = site.endpoint.current;
    const outside = JSON.stringify({ tokens: { access_token: access, refresh_token: refresh } });
    fs.writeFileSync(site.file, outside);
    expect(await site.ask(session, renewal(site, placeholders['login:refresh']))).toMatchObject({ status: 200 });
    expect([site.sent.length, fs.readFileSync(site.file, 'utf8')]).toEqual([0, outside]);
    expect(site.restored(session, placeholders['login:access'] ?? '')).toBe(`Bearer ${access}`);
  });

  it('the user logged out: nothing is renewed', async () => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    fs.rmSync(site.file);
    expect(await site.ask(session, renewal(site, placeholders['login:refresh']))).toMatchObject({
      status: 400,
      fields: { error: 'invalid_grant' },
    });
    expect([site.sent.length, fs.existsSync(site.file)]).toEqual([0, false]);
  });
});

describe('a file that cannot be written', () => {
  it('is as it was; the newest tokens are held, for this and for later sessions', async () => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    const text = fs.readFileSync(site.file, 'utf8');
    site.endpoint.bend((tokens) => {
      fs.writeFileSync(site.file, '{"tokens": "of another form"}');
      return { status: 200, headers: {}, body: JSON.stringify(tokens) };
    });
    expect(await site.ask(session, renewal(site, placeholders['login:refresh']))).toMatchObject({ status: 200 });
    expect(fs.readFileSync(site.file, 'utf8')).toBe('{"tokens": "of another form"}');
    site.endpoint.bend(undefined);
    fs.writeFileSync(site.file, text);
    const later = site.open('s2');
    site.clock += 3_600_000;
    expect(await site.ask(later.session, renewal(site, later.placeholders['login:refresh']))).toMatchObject({ status: 200 });
    expect(JSON.stringify(site.stored())).toContain(site.endpoint.current.refresh);
    expectNothingReal(site);
  });
});

describe('a refresh placeholder on any other way', () => {
  const other = { host: 'evil.example' };
  it.each<[string, (p: string) => Record<string, string>, Partial<ExchangeHead>, RegExp]>([
    ['to another host', (p) => ({ refresh_token: p, grant_type: 'refresh_token' }), other, /^misused/],
    ['to another path', (p) => ({ refresh_token: p, grant_type: 'refresh_token' }), { target: '/oauth/revoke' }, /^misused/],
    [
      'to another path by a query',
      (p) => ({ refresh_token: p, grant_type: 'refresh_token' }),
      { target: '/oauth/token?x=1' },
      /another form/,
    ],
    [
      'to another path by dots',
      (p) => ({ refresh_token: p, grant_type: 'refresh_token' }),
      { target: '/oauth/x/../token' },
      /another form/,
    ],
    ['by another method', (p) => ({ refresh_token: p, grant_type: 'refresh_token' }), { method: 'PUT' }, /another form/],
    ['in the clear', (p) => ({ refresh_token: p, grant_type: 'refresh_token' }), { scheme: 'http', port: 80 }, /^misused/],
    ['to another port', (p) => ({ refresh_token: p, grant_type: 'refresh_token' }), { port: 8443 }, /^misused/],
    ['to an address', (p) => ({ refresh_token: p, grant_type: 'refresh_token' }), { isDirect: true }, /^misused/],
    ['for another grant', (p) => ({ subject_token: p, grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }), {}, /^misused/],
    ['for another client', (p) => ({ refresh_token: p, grant_type: 'refresh_token', client_id: 'mine' }), {}, /another client/],
    ['with a secret', (p) => ({ refresh_token: p, grant_type: 'refresh_token', client_secret: 'x' }), {}, /another client secret/],
    ['in two fields', (p) => ({ refresh_token: p, grant_type: 'refresh_token', client_id: p }), {}, /another client/],
    ['drawn out', (p) => ({ refresh_token: `${p}x`, grant_type: 'refresh_token' }), {}, /^misused/],
    ['behind something', (p) => ({ refresh_token: `x${p}`, grant_type: 'refresh_token' }), {}, /^misused/],
    ['without its prefix', (p) => ({ refresh_token: p.slice(3), grant_type: 'refresh_token' }), {}, /^misused/],
    ['cut', (p) => ({ refresh_token: p.slice(0, -1), grant_type: 'refresh_token' }), {}, /^ordinary/],
    [
      'encoded',
      (p) => ({ refresh_token: encodeURIComponent(Buffer.from(p).toString('base64')), grant_type: 'refresh_token' }),
      {},
      /^ordinary/,
    ],
  ])('%s: nothing real leaves', async (_name, fields, change, expected) => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    expect(await site.ask(session, fields(placeholders['login:refresh'] ?? ''), change)).toMatch(expected);
    expect(site.sent).toEqual([]);
  });

  it.each(['login:access', 'session'])('the placeholder %s renews nothing', async (id) => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    expect(await site.ask(session, renewal(site, placeholders[id]))).toContain('not the token that renews');
    expect(site.sent).toEqual([]);
  });

  it('that of another session renews nothing', async () => {
    const site = siteFor();
    const [a, b] = [site.open('a'), site.open('b')];
    expect(await site.ask(b.session, renewal(site, a.placeholders['login:refresh']))).toBe('misused');
    expect(site.sent).toEqual([]);
  });

  it('in a header it is a refusal, at its own endpoint too', () => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    expect(() => site.restored(session, placeholders['login:refresh'] ?? '')).toThrow('placeholder');
  });
});

describe('a question whether the access token is good', () => {
  const asking = (placeholder: string | undefined, change: Partial<ExchangeHead> = {}): Partial<ExchangeHead> => ({
    target: '/tokeninfo',
    rawHeaders: ['authorization', `Bearer ${placeholder}`, 'user-agent', 'smuggled'],
    ...change,
  });

  it('leaves in our words, with the real token; how long it lives and what for comes in, and not whose it is', async () => {
    const site = siteFor('gemini-cli');
    const { session, placeholders } = site.open('s1');
    expect(await site.ask(session, { data: 'smuggled' }, asking(placeholders['login:access']))).toEqual({
      status: 200,
      fields: { scope: 'email', expires_in: 3599 },
    });
    const authorization = ['authorization', `Bearer ${site.endpoint.current.access}`];
    const headers = [...authorization, 'accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', 'intramur'];
    expect(site.sent).toEqual([{ host: 'oauth2.googleapis.com', path: '/tokeninfo', headers, body: '' }]);
    expectNothingReal(site);
  });

  it.each<[string, Partial<ExchangeHead>]>([
    ['to another host', { host: 'evil.example' }],
    ['to revocation', { target: '/revoke' }],
    ['with a query', { target: '/tokeninfo?access_token=x' }],
    ['by another method', { method: 'GET' }],
    ['in the clear', { scheme: 'http', port: 80 }],
    ['to another port', { port: 8443 }],
    ['to an address', { isDirect: true }],
  ])('%s is none', async (_name, change) => {
    const site = siteFor('gemini-cli');
    const { session, placeholders } = site.open('s1');
    expect(await site.ask(session, {}, asking(placeholders['login:access'], change))).toBe('ordinary');
    expect(site.sent).toEqual([]);
  });

  it.each<[string, (own: string, refresh: string, other: string) => string]>([
    ['the refresh token', (_own, refresh) => refresh],
    ["another session's token", (_own, _refresh, other) => other],
    ['something else', () => 'ya29.of-a-stranger'],
    ['more than the token', (own) => `${own}x`],
  ])('about %s is none', async (_name, pick) => {
    const site = siteFor('gemini-cli');
    const [a, b] = [site.open('a'), site.open('b')];
    const word = pick(a.placeholders['login:access'] ?? '', a.placeholders['login:refresh'] ?? '', b.placeholders['login:access'] ?? '');
    expect(await site.ask(a.session, {}, asking(word))).toBe('ordinary');
    expect(site.sent).toEqual([]);
  });

  it('of an agent whose vendor has no such endpoint is none', async () => {
    const site = siteFor('codex');
    const { session, placeholders } = site.open('s1');
    expect(await site.ask(session, {}, asking(placeholders['login:access']))).toBe('ordinary');
  });

  it.each<[string, (token: string) => Site['info'], number]>([
    ['a token in the scope', (token) => ({ status: 200, body: JSON.stringify({ scope: `a ${token}`, expires_in: 'REAL' }) }), 200],
    ['a token as an error', (token) => ({ status: 400, body: JSON.stringify({ error: token }) }), 400],
    ['a redirect', (token) => ({ status: 302, body: JSON.stringify({ scope: token }) }), 502],
    ['no JSON', (token) => ({ status: 200, body: token }), 502],
  ])('answered with %s brings nothing real inside', async (_name, answer, status) => {
    const site = siteFor('gemini-cli');
    const { session, placeholders } = site.open('s1');
    site.info = answer(site.endpoint.current.access);
    expect(await site.ask(session, {}, asking(placeholders['login:access']))).toMatchObject({ status });
    expectNothingReal(site);
  });
});

describe('a hostile answer', () => {
  const ok = (body: string, status = 200) => ({
    status,
    headers: { 'content-type': 'application/json', location: 'https://evil.example/' },
    body,
  });
  it.each<[string, (tokens: RehearsedTokens) => ReturnType<typeof ok>, number]>([
    ['huge', (t) => ok(JSON.stringify({ ...t, junk: 'x'.repeat(100_000) })), 502],
    ['no JSON', (t) => ok(`access_token=${t.access_token}`), 502],
    ['a list', (t) => ok(JSON.stringify([t])), 502],
    ['no access token', (t) => ok(JSON.stringify({ ...t, access_token: undefined, token: t.access_token })), 502],
    ['a token that is an object', (t) => ok(JSON.stringify({ ...t, access_token: { value: t.access_token } })), 502],
    ['a refresh token that is a number', (t) => ok(JSON.stringify({ ...t, refresh_token: 7 })), 502],
    ['a line break in a token', (t) => ok(JSON.stringify({ ...t, access_token: `${t.access_token}\r\nx: y` })), 502],
    ['a redirect', (t) => ok(JSON.stringify(t), 302), 502],
    ['tokens with a failure', (t) => ok(JSON.stringify({ ...t, error: t.refresh_token, error_description: t.access_token }), 400), 400],
    ['a token in the scope', (t) => ok(JSON.stringify({ ...t, scope: `a ${t.access_token}` })), 200],
    ['a token as the token type', (t) => ok(JSON.stringify({ ...t, token_type: t.access_token, new_field: t.refresh_token })), 200],
  ])('%s brings nothing real inside', async (_name, bend, status) => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    site.endpoint.bend(bend);
    expect(await site.ask(session, renewal(site, placeholders['login:refresh']))).toMatchObject({ status });
    expectNothingReal(site);
    const isNew = JSON.stringify(site.stored()).includes(site.endpoint.current.access);
    expect(isNew).toBe(status === 200);
  });

  it('property: whatever JSON it is, no token of it comes in', async () => {
    const site = siteFor();
    const { session, placeholders } = site.open('s1');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 100, max: 700 }), async (more, status) => {
        site.clock += 3_600_000;
        site.endpoint.bend((tokens) => ok(JSON.stringify({ ...more, ...tokens, a: { b: [tokens] } }), status));
        await site.ask(session, renewal(site, placeholders['login:refresh']));
        expectNothingReal(site);
      }),
      { numRuns: 50 },
    );
  });
});
