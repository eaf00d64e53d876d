// The gateway as a program outside the sandbox sees it: a virtual key on loopback, four dialects, native refusals, and a perimeter that
// holds when the inside is down.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.ts';
import { configFor, createRig, type Rig, root } from './rig.ts';

const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
const productionKey = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
const token = 'AKIA' + 'QYLPMN5HHHFPZAM2';
let rig: Rig;
let outside: FakeUpstream;
let url = '';

/** A company's own policy about one model name: what research asks goes out, so that the machines inside are free for production. */
const researchGoesOut = `@id("research-goes-out")
@reason("research leaves the models inside to production")
forbid(principal, action == Intramur::Action::"llm.invoke", resource)
when {
  context.requestedModel == "paired-x" &&
  context.purpose == Intramur::Purpose::"research" &&
  resource.perimeter != Intramur::Perimeter::"public" &&
  context.dataRank <= 1
};
`;

beforeAll(async () => {
  outside = await startFakeUpstream({ script: [{ text: 'from outside' }] });
  rig = await createRig();
  rig.configure(`${configFor(rig.upstream).replace(
    'models: {',
    `  - { id: public-chat, dialect: openai-chat, url: "${outside.url}/v1", perimeter: public }\nmodels: { "public-*": [public-chat/rehearsal], "mixed-*": [public-chat/rehearsal, chat/rehearsal], "paired-*": [public-chat/rehearsal, chat/rehearsal],`,
  )}
keys:
  - { id: ide, sha256: ${crypto.hash('sha256', key)}, user: alice, tool: qwen-code, purpose: research }
  - { id: work, sha256: ${crypto.hash('sha256', productionKey)}, user: alice, tool: qwen-code, purpose: production }
tools: { qwen-code: { status: vetted } }
policies: [./policies]
packs: [baseline, perimeter, research-production]
inspect: { secrets: block }
`);
  fs.mkdirSync(path.join(rig.state, 'policies'));
  fs.writeFileSync(path.join(rig.state, 'policies', 'research.cedar'), researchGoesOut);
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

/** Decisions about model calls, as the ledger exports them. */
async function decisions(): Promise<Record<string, unknown>[]> {
  const { stdout } = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
  const lines = stdout.trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ action, decision }) => action === 'llm.invoke' && typeof decision === 'string');
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

  it('an index that is broken lets nothing out, says so, and is mended by what status says', async () => {
    const ask = () => post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'hello' }] });
    const inspection = async () =>
      (JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { inspection?: { next: string } }).inspection;
    expect([(await ask()).status, await inspection()]).toEqual([200, undefined]);
    fs.writeFileSync(path.join(rig.state, 'state', 'fingerprints', 'documents.json'), '{"schema"');
    const refused = await ask();
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringMatching(/index of the company's own source.*INDEX_BROKEN/)]);
    const next = (await inspection())?.next ?? '';
    expect((await rig.intramur(['status'])).stdout).toContain(
      `REFUSES EVERYTHING: documents.json of the fingerprint index is broken\n          ${next}\n`,
    );
    expect(await rig.intramur(['inspect'], { input: 'hello' })).toMatchObject({ code: 3, stderr: expect.stringContaining(next) as string });
    expect(await rig.intramur(next.split(' ').slice(1))).toMatchObject({ code: 0 });
    expect([(await ask()).status, await inspection()]).toEqual([200, undefined]);
  });

  it('(facts, scenario 4) indexed source, renamed, in base64, over three turns: inside; with the inside down a refusal, the outside never called', async () => {
    const source = fs
      .readFileSync(path.join(rig.dir, 'core', 'vault.ts'), 'utf8')
      .split('\n')
      .slice(28, 100)
      .join('\n');
    const renamed = source.replaceAll('secret', 'parcel').replaceAll('session', 'voyage').replaceAll('issued', 'loaded');
    const encoded = Buffer.from(renamed).toString('base64');
    const third = Math.ceil(encoded.length / 12) * 4;
    const turns = [0, 1, 2].flatMap((i) => [
      { role: 'user', content: `part ${i}:\n${encoded.slice(i * third, (i + 1) * third)}` },
      { role: 'assistant', content: 'go on' },
    ]);
    const ask = () => post('/v1/chat/completions', { model: 'mixed-x', messages: [...turns, { role: 'user', content: 'explain' }] });
    const [before, beforeOutside] = [rig.upstream.received.length, outside.received.length];
    expect((await ask()).status).toBe(200);
    expect(rig.upstream.received.length).toBe(before + 1);
    rig.upstream.setFault('reset');
    try {
      const refused = await ask();
      expect({ status: refused.status, text: await refused.text() }).toEqual({
        status: 400,
        text: expect.stringMatching(/Intramur refused: no allowed target answered: provider chat/) as string,
      });
    } finally {
      rig.upstream.setFault(undefined);
    }
    expect(outside.received.length).toBe(beforeOutside);
    const [entry] = (await decisions()).slice(-1);
    expect(entry).toMatchObject({ decision: 'allow', perimeter: 'onprem', classification: 'restricted', labels: ['source'] });
  });

  it('(facts, purpose pair) one prompt of one developer goes out for research and stays inside for production, and the ledger says why', async () => {
    const prompt = { model: 'paired-x', messages: [{ role: 'user', content: 'What is a monad?' }] };
    const [before, beforeOutside] = [rig.upstream.received.length, outside.received.length];
    const session = { 'x-session-id': 'pair' };
    expect((await post('/v1/chat/completions', prompt, { ...session, authorization: `Bearer ${key}` })).status).toBe(200);
    expect([rig.upstream.received.length, outside.received.length]).toEqual([before, beforeOutside + 1]);
    expect((await post('/v1/chat/completions', prompt, { ...session, authorization: `Bearer ${productionKey}` })).status).toBe(200);
    expect([rig.upstream.received.length, outside.received.length]).toEqual([before + 1, beforeOutside + 1]);
    const [research, production] = (await decisions()).slice(-2);
    expect(research).toMatchObject({ user: 'alice', purpose: 'research', provider: 'public-chat', perimeter: 'public', decision: 'allow' });
    expect(production).toMatchObject({ user: 'alice', purpose: 'production', provider: 'chat', perimeter: 'onprem', decision: 'allow' });
    // Where the inside is down, production is refused: research was let out, production never is.
    rig.upstream.setFault('reset');
    try {
      expect((await post('/v1/chat/completions', prompt, { ...session, authorization: `Bearer ${productionKey}` })).status).toBe(400);
    } finally {
      rig.upstream.setFault(undefined);
    }
    expect(outside.received.length).toBe(beforeOutside + 1);
  });

  it('(a lane of its own) a chat client with a research key talks to public models, lists them, and takes no secret there', async () => {
    const headers = { authorization: `Bearer ${key}`, 'user-agent': 'OpenAI/Python 1.2.3', 'x-session-id': 'lane' };
    const [before, beforeOutside] = [rig.upstream.received.length, outside.received.length];
    const chat = (content: string, stream: boolean) =>
      post('/v1/chat/completions', { model: 'public-chat', stream, messages: [{ role: 'user', content }] }, headers);
    const streamed = await chat('Compare three sorting networks.', true);
    expect([streamed.status, (await streamed.text()).includes('[DONE]')]).toEqual([200, true]);
    expect((await chat('Compare three sorting networks.', false)).status).toBe(200);
    expect((await chat(`why is ${token} not accepted?`, false)).status).toBe(400);
    expect(
      (await post('/v1/chat/completions', { model: 'public-chat', messages: [] }, { authorization: `Bearer ${productionKey}` })).status,
    ).toBe(400);
    expect([rig.upstream.received.length, outside.received.length]).toEqual([before, beforeOutside + 2]);
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
