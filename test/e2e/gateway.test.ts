// The gateway as a program outside the sandbox sees it: a virtual key on loopback, four dialects, native refusals, and a perimeter that
// holds when the inside is down.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.ts';
import { configFor, createRig, type Rig, root } from './rig.ts';

const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
const token = 'AKIA' + 'QYLPMN5HHHFPZAM2';
let rig: Rig;
let outside: FakeUpstream;
let url = '';

beforeAll(async () => {
  outside = await startFakeUpstream({ script: [{ text: 'from outside' }] });
  rig = await createRig();
  rig.configure(`${configFor(rig.upstream).replace(
    'models: {',
    `  - { id: public-chat, dialect: openai-chat, url: "${outside.url}/v1", perimeter: public }\nmodels: { "public-*": [public-chat/rehearsal], "mixed-*": [public-chat/rehearsal, chat/rehearsal],`,
  )}
keys:
  - { id: ide, sha256: ${crypto.hash('sha256', key)}, user: alice, tool: qwen-code, purpose: research }
packs: [baseline, perimeter, research-production]
inspect: { secrets: block }
`);
  expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0, stdout: '' });
  url = (JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } }).gateway.url;
});
afterAll(async () => {
  await rig.close();
  await outside.close();
});

const bodies = {
  '/v1/messages': { model: 'm', max_tokens: 64, messages: [{ role: 'user', content: 'hello', unknown_field: [1.0, { x: null }] }] },
  '/v1/chat/completions': { model: 'm', messages: [{ role: 'user', content: 'hello' }], unknown_field: { a: 1 } },
  '/v1/responses': { model: 'm', input: 'hello', unknown_field: 'ü' },
  '/v1beta/models/m:generateContent': { contents: [{ role: 'user', parts: [{ text: 'hello' }] }], unknownField: true },
} as const;
const paths = Object.keys(bodies) as (keyof typeof bodies)[];

function post(target: string, body: unknown, headers: Record<string, string> = { authorization: `Bearer ${key}` }): Promise<Response> {
  return fetch(url + target, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
}

describe('the gateway on loopback', () => {
  it.each(paths)('%s: the upstream gets the same bytes but the model, and never the key', async (target) => {
    const before = rig.upstream.received.length;
    const response = await post(`${target}?beta=true`, bodies[target]);
    expect({ status: response.status, text: (await response.text()).includes('rehearsed') }).toEqual({ status: 200, text: true });
    const [received, ...more] = rig.upstream.received.slice(before);
    expect(more).toEqual([]);
    const sent = JSON.stringify(bodies[target]);
    expect(received?.body.toString()).toBe(sent.replace('"model":"m"', '"model":"rehearsal"'));
    expect(received?.path).toBe(`${target.replace('models/m:', 'models/rehearsal:')}?beta=true`);
    expect(received?.rawHeaders.join('\n')).not.toContain(key);
  });

  it.each<[string, Record<string, string>, string]>([
    ['x-api-key', { 'x-api-key': key }, ''],
    ['x-goog-api-key', { 'x-goog-api-key': key }, ''],
    ['?key=', {}, `?key=${key}`],
  ])('the key may come as %s', async (_name, headers, query) => {
    const before = rig.upstream.received.length;
    expect((await post(`/v1/chat/completions${query}`, bodies['/v1/chat/completions'], headers)).status).toBe(200);
    const [received] = rig.upstream.received.slice(before);
    expect(JSON.stringify([received?.path, received?.rawHeaders])).not.toContain(key);
  });

  it.each(paths)('%s without a key or with a wrong one: 401 in its own shape, no upstream', async (target) => {
    const before = rig.upstream.received.length;
    for (const headers of [{}, { authorization: 'Bearer sk-wrong' }] as Record<string, string>[]) {
      const response = await post(target, bodies[target], headers);
      expect(response.status).toBe(401);
      expect(await response.json()).toHaveProperty('error');
    }
    expect(rig.upstream.received.length).toBe(before);
  });

  it('any other path is a 4xx without an upstream', async () => {
    const before = rig.upstream.received.length;
    for (const target of ['/v1/files', '/v1/messages/batches', '/v1/responses/../chat/completions/x', '/', '/v1/completions']) {
      const { status } = await post(target, {});
      expect({ target, is4xx: status >= 400 && status < 500 }).toEqual({ target, is4xx: true });
    }
    expect(rig.upstream.received.length).toBe(before);
  });

  it.each(paths)(
    '%s: a secret to a public model is a 400 that says who refused, in the native shape; nothing was called',
    async (target) => {
      const [before, beforeOutside] = [rig.upstream.received.length, outside.received.length];
      const text = JSON.stringify(bodies[target]).replace('hello', token).replace('"model":"m"', '"model":"public-x"');
      const response = await post(target.replace('models/m:', 'models/public-x:'), JSON.parse(text));
      const answer = (await response.json()) as { error: { message: string; code?: unknown } };
      expect(response.status).toBe(400);
      expect(answer.error.message).toMatch(/^Intramur refused: .*(policy|ledger entry \d+)/);
      expect(answer.error.code).not.toBe('server_error');
      expect([rig.upstream.received.length, outside.received.length]).toEqual([before, beforeOutside]);
    },
  );

  it('a stream passes through as it comes, and ends as the upstream ended', async () => {
    const response = await post('/v1/messages', { ...bodies['/v1/messages'], stream: true });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await response.text()).toMatch(/event: message_stop/);
  });

  it('the inside down: the answer is an error or a refusal, never an outside target', async () => {
    const before = outside.received.length;
    rig.upstream.setFault('reset');
    try {
      const text = JSON.parse(
        JSON.stringify(bodies['/v1/chat/completions']).replace('hello', token).replace('"m"', '"mixed-x"'),
      ) as unknown;
      const { status } = await post('/v1/chat/completions', text);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(outside.received.length).toBe(before);
    } finally {
      rig.upstream.setFault(undefined);
    }
  });

  it("the company's own source goes inside only, from the moment it is indexed", async () => {
    const repository = path.join(rig.dir, 'core');
    fs.cpSync(path.join(root, 'src', 'gateway'), repository, { recursive: true });
    const excerpt = fs.readFileSync(path.join(repository, 'vault.ts'), 'utf8').split('\n').slice(30, 75).join('\n');
    const ask = (model: string) => post('/v1/chat/completions', { model, messages: [{ role: 'user', content: `Explain:\n${excerpt}` }] });
    expect((await ask('public-x')).status).toBe(200);
    await rig.intramur(['index', 'add', repository, '--classification', 'restricted', '--name', 'core']);
    expect(await rig.intramur(['index', 'build'])).toMatchObject({ code: 0 });
    const before = outside.received.length;
    const refused = await ask('public-x');
    expect({ status: refused.status, text: await refused.text() }).toEqual({
      status: 400,
      text: expect.stringMatching(/Intramur refused/) as string,
    });
    expect((await ask('m')).status).toBe(200);
    expect(outside.received.length).toBe(before);
  });

  it('lists the names of the model map, and answers a probe', async () => {
    const list = (await (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).json()) as {
      data: { id: string }[];
    };
    expect(list.data.map(({ id }) => id)).toContain('public-*');
    expect((await fetch(url, { method: 'HEAD' })).status).toBeLessThan(500);
  });

  it('a key made while the daemon runs works at once, is shown once, and is gone when revoked', async () => {
    const added = await rig.intramur(['keys', 'add', 'ci', '--tool', 'ci', '--purpose', 'research']);
    expect(added.code).toBe(0);
    const [made = ''] = /\S{24,}/.exec(added.stdout) ?? [];
    expect(fs.readFileSync(path.join(rig.state, 'state', 'keys.json'), 'utf8')).not.toContain(made);
    expect((await post('/v1/chat/completions', bodies['/v1/chat/completions'], { authorization: `Bearer ${made}` })).status).toBe(200);
    expect((await rig.intramur(['keys', 'revoke', 'ci'])).code).toBe(0);
    expect((await post('/v1/chat/completions', bodies['/v1/chat/completions'], { authorization: `Bearer ${made}` })).status).toBe(401);
  });

  it('every call is in the ledger with its outcome, and the ledger verifies', async () => {
    const exported = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
    const lines = exported.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const allowed = lines.filter(({ action, decision }) => action === 'llm.invoke' && decision === 'allow');
    expect(allowed.length).toBeGreaterThan(5);
    for (const { index } of allowed) expect(lines.filter(({ outcomeOf }) => outcomeOf === index)).toHaveLength(1);
    expect(allowed[0]).toMatchObject({ agent: 'qwen-code', purpose: 'research', perimeter: 'onprem', class: 'model' });
    expect(exported.stdout).not.toContain(token);
    expect(JSON.parse((await rig.intramur(['ledger', 'verify', '--json'])).stdout)).toMatchObject({
      schema: 'intramur/ledger-verify/1',
      ok: true,
    });
  });
});
