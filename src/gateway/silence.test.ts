// Upstreams that say nothing for long, and clients that read nothing.
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { ask, bearer, chatBody, provider, testKey, until } from './test-rig.ts';
import { chat, closeAll, dialectCalls, ends, insideOnly, listen, pair, rig, streamed, upstream } from './testdata/pair.ts';

afterEach(closeAll);

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

  it('that refuses after all is quoted, since its status can no longer be told', async () => {
    const call = dialectCalls.find(([name]) => name === 'anthropic-messages');
    if (!call) throw new Error('no call');
    const { inside, rig } = await pair({ decide: insideOnly, limits: { keepAliveMs: 50 } }, 'openai-chat', 1000);
    inside.setFault({ status: 400, message: 'maximum context length is 8', delayMs: 200 });
    const [to, body] = streamed(call);
    const told = await ask(rig.url + to, { headers: bearer, body });
    expect(told.text).toMatch(/event: error\ndata: .*prompt is too long: .*answered with status 400: maximum context length is 8/);
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

it.each([
  ['without a key', ''],
  ['of a call that was refused', `authorization: Bearer ${testKey}\r\n`],
])('a body %s that drips on does not hold its connection', async (_name, key) => {
  const started = await rig({ limits: { idleMs: 100, totalMs: 200 } });
  const { port, hostname } = new URL(started.url);
  const socket = net.connect(Number(port), hostname);
  let told = '';
  let isClosed = false;
  socket.on('data', (chunk) => {
    told += chunk.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  socket.write(`POST ${chat} HTTP/1.1\r\nhost: x\r\n${key}content-length: 100000\r\n\r\n{`);
  const drip = setInterval(() => socket.write('x'), 30);
  await until(() => isClosed);
  clearInterval(drip);
  expect([isClosed, told]).toEqual([true, expect.stringMatching(/^HTTP\/1\.1 40[01] .*Intramur refused/s)]);
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
