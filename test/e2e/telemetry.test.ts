// A collector that the company names is told of model calls; what was said in them it never hears. A dead one changes nothing.
import crypto from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRig, type Rig } from './rig.ts';

const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
const received: { readonly url: string; readonly authorization: string; readonly body: string }[] = [];
let collector: http.Server;
let rig: Rig;

beforeAll(async () => {
  collector = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      received.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '', body });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  rig = await createRig();
});
afterAll(async () => {
  await rig.close();
  collector.closeAllConnections();
  collector.close();
});

async function callOnce(telemetryPort: number): Promise<Response> {
  rig.configure(`organization: test
providers: [{ id: chat, dialect: openai-chat, url: "${rig.upstream.url}/v1", perimeter: onprem }]
models: { "*": [chat/rehearsal] }
keys: [{ id: ide, sha256: ${crypto.hash('sha256', key)}, user: alice, tool: qwen-code, purpose: research }]
telemetry: { otlp: { url: "http://127.0.0.1:${telemetryPort}", perimeter: onprem, key: "env:OTLP_TOKEN" } }
`);
  const started = await rig.intramur(['up', '--background'], { env: { OTLP_TOKEN: 'token-of-the-collector' } });
  expect(started).toMatchObject({ code: 0 });
  const { gateway } = JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } };
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'words that nobody else may read' }] }),
  });
  await response.text();
  return response;
}

it('gets a span and the metrics of each call, with its token and without a word of the conversation', async () => {
  expect((await callOnce((collector.address() as AddressInfo).port)).status).toBe(200);
  expect((await rig.intramur(['down'])).code).toBe(0);
  // The daemon has let go of its socket before it says its last words.
  for (let i = 0; i < 300 && received.length < 2; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(received.map(({ url }) => url).toSorted()).toEqual(['/v1/metrics', '/v1/traces']);
  const traces = received.find(({ url }) => url === '/v1/traces');
  expect(traces?.authorization).toBe('Bearer token-of-the-collector');
  expect(traces?.body).toMatch(/"gen_ai\.usage\.output_tokens"/);
  expect(JSON.stringify(received)).not.toMatch(/words that nobody|rehearsed|sk-test/);
});

it('that is dead delays no call and no stop', async () => {
  const before = rig.upstream.received.length;
  expect((await callOnce(9)).status).toBe(200);
  expect((await rig.intramur(['down'])).code).toBe(0);
  expect(rig.upstream.received.length).toBe(before + 1);
});
