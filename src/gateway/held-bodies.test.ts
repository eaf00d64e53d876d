// A stream may last for minutes, and a prompt be a megabyte: once it has gone to the upstream nobody holds it any more.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterAll, expect, it } from 'vitest';
import { ask, bearer, chatBody, provider, startRig } from './test-rig.ts';

v8.setFlagsFromString('--expose-gc');
const collect: () => void = vm.runInNewContext('gc');

const bodyBytes = 2 << 20;
const calls = 16;
const event = 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n';

const upstream = http.createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event));
  response.on('error', () => {});
});
afterAll(() => upstream.closeAllConnections());

it('bodies of calls whose answers go on are let go of', async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
  const rig = await startRig({
    config: { providers: [provider({ id: 'coder', url })], models: [{ match: '*', targets: ['coder/*'] }] },
  });
  const held = (): number => {
    rig.judged.length = 0;
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const body = chatBody({ stream: true, messages: [{ role: 'user', content: 'x'.repeat(bodyBytes) }] });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = held();
  const open: http.ClientRequest[] = [];
  for (let i = 0; i < calls; i++) {
    const request = http.request(`${rig.url}/v1/chat/completions`, { method: 'POST', agent: false, headers: bearer });
    request.on('error', () => {});
    request.end(body);
    open.push(request);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.on('error', () => {});
    await once(response, 'data');
  }
  // The engine gives memory back some time after it has found it free; what is held stays.
  const most = before + 2 * bodyBytes;
  let after = held();
  for (let i = 0; i < 100 && after >= most; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    after = held();
  }
  for (const request of open) request.destroy();
  await rig.close();
  expect(after).toBeLessThan(most);
});

it('an upstream that hangs up amid a long body is a refusal, and nothing else', async () => {
  const rude = http.createServer((request) => void request.once('data', () => request.socket.destroy())).listen(0, '127.0.0.1');
  await once(rude, 'listening');
  const url = `http://127.0.0.1:${(rude.address() as AddressInfo).port}/v1`;
  const rig = await startRig({
    config: { providers: [provider({ id: 'coder', url })], models: [{ match: '*', targets: ['coder/*'] }] },
  });
  const body = chatBody({ messages: [{ role: 'user', content: 'x'.repeat(bodyBytes) }] });
  const told = await ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body });
  await rig.close();
  rude.close();
  expect([told.status, told.text, rig.faults]).toEqual([400, expect.stringContaining('provider coder'), []]);
});
