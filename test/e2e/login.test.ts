// A real agent whose login has expired renews it as ever, through the daemon, and goes on. Judged from outside by canaries: every token that
// the vendor's endpoint ever made is looked for in all that the agent can read inside, which a tool call of its model reads to us.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { createAuthority, makeAuthority } from '../../src/egress/index.ts';
import { doctor } from '../../src/sandbox/index.ts';
import { agentRecipes, createFakeTokenEndpoint, type FakeTokenEndpoint } from '../../src/testing/index.ts';
import { createRig, type Rig, root } from './rig.ts';

const { mode } = await doctor();
const recipe = agentRecipes.find(({ id }) => id === 'codex');
const program = path.join(root, 'test', 'agents', 'node_modules', recipe?.program ?? '');

/**
 * The home, the workspace, and what every process there has in its environment, its arguments and its memory that is a file: whatever may
 * be a token or hold one, each once. Without quotes, or the program's own log, JSON in JSON in JSON, would be refused as too deep.
 */
const readAll =
  '(cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; find "$HOME/.codex" . -type f -exec cat {} +) 2>/dev/null | grep -a -o -E "[A-Za-z0-9_.@=/+-]{8,}" | sort -u';

let rig: Rig;
let server: https.Server;
let endpoint: FakeTokenEndpoint;
const credentials: (string | undefined)[] = [];

/** The vendor: a token endpoint, and a model that takes the newest access token only. */
function vendor(request: http.IncomingMessage, response: http.ServerResponse, body: Buffer): void {
  const { authorization, host = '' } = request.headers;
  if (host === 'auth.openai.com') {
    const { status, headers, body: text } = endpoint.answer(body.toString());
    response.writeHead(status, headers).end(text);
    return;
  }
  // Asked before the first call of the model.
  if (request.url?.endsWith('/accounts/check')) {
    response.writeHead(200, { 'content-type': 'application/json' });
    return void response.end(
      JSON.stringify({
        accounts: [
          {
            id: 'acct-1',
            plan_type: 'plus',
            structure: 'personal',
            workspace_backend_origin: 'https://chatgpt.com',
            account_routing_override: 'NO_CONSTRAINT',
          },
        ],
      }),
    );
  }
  if (!request.url?.endsWith('/responses')) return void response.writeHead(404).end();
  credentials.push(authorization);
  if (authorization !== `Bearer ${endpoint.current.access}`) {
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"expired","code":"token_expired"}}');
    return;
  }
  const options = { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': body.length } };
  const onward = http.request(`${rig.upstream.url}/v1/responses`, options, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.end(body);
}

beforeAll(async () => {
  if (mode === 'none') return;
  const authority = createAuthority(makeAuthority(new Date()));
  server = https.createServer({ SNICallback: (name, done) => done(null, authority.contextFor(name)) }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => vendor(request, response, Buffer.concat(parts)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  rig = await createRig({ script: [{ acts: [{ do: 'shell', command: readAll }] }, { text: 'renewed and answered' }] });
  const resolve = ['auth.openai.com', 'chatgpt.com'].map((host) => `${host}:443:127.0.0.1:${port}`);
  rig.configure(`organization: test\nresolve: ${JSON.stringify(resolve)}\ntrust: [./test-ca.pem]\n`);
  fs.writeFileSync(path.join(rig.state, 'test-ca.pem'), authority.pem);
  endpoint = createFakeTokenEndpoint('codex');
  fs.mkdirSync(path.join(rig.home, '.codex'));
});
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await rig?.close();
});

describe.skipIf(mode === 'none')('an expired login', () => {
  it('is renewed by codex itself: the vendor gets real tokens, the inside holds placeholders, the user keeps a good login', async () => {
    const file = path.join(rig.home, '.codex', 'auth.json');
    const expired = `REAL-expired-${'Zq7Xv2Kp9Lm4Rt8Wy1Bn6Hd3'}`;
    const account = { chatgpt_plan_type: 'plus', chatgpt_account_id: 'acct-1' };
    const claims = Buffer.from(JSON.stringify({ email: 'REAL-email@example.com', 'https://api.openai.com/auth': account })).toString(
      'base64url',
    );
    const tokens = { id_token: `e30.${claims}.c2ln`, access_token: expired, refresh_token: endpoint.current.refresh, account_id: 'acct-1' };
    const login = { auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens, last_refresh: '2020-01-01T00:00:00Z' };
    fs.writeFileSync(file, JSON.stringify(login), { mode: 0o600 });

    const args = recipe?.args('Say something.') ?? [];
    const outcome = await rig.intramur(['run', '--mode', 'direct', '--allow', 'chatgpt.com', '--', 'node', program, ...args], {
      limitMs: 100_000,
    });
    const entries = (await rig.intramur(['ledger', 'export', '--format', 'jsonl'])).stdout;
    const seen = rig.upstream.received.map(({ body }) => body.toString()).join('\n');
    expect(outcome.stdout + outcome.stderr).toContain('renewed and answered');

    expect(endpoint.asked.length).toBe(1);
    expect(credentials.at(-1)).toBe(`Bearer ${endpoint.current.access}`);
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({
      auth_mode: 'chatgpt',
      tokens: { access_token: endpoint.current.access, refresh_token: endpoint.current.refresh, account_id: 'acct-1' },
    });
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);

    expect(seen).toContain('zNtr4m'); // The tool did read the login file inside.
    for (const text of [seen, outcome.stdout, outcome.stderr, entries]) {
      for (const token of [...endpoint.real, expired, 'REAL-']) expect(text).not.toContain(token);
    }
    const renewals = entries
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry)
      .filter(({ host }) => host === 'auth.openai.com');
    expect(renewals.map(({ decision, policies, class: kind }) => ({ decision, policies, kind }))[0]).toEqual({
      ...{ decision: 'allow', policies: ['baseline/login-renewal'], kind: 'login' },
    });
  }, 120_000);
});
