// What a caller, a redirect, a proxy or an address may try: nothing leaves.
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, bearer, chatBody, provider, type RigOptions, testKey } from './test-rig.ts';
import { chat, closeAll, insideOnly, messageOf, pair, upstream } from './testdata/pair.ts';

afterEach(closeAll);

describe('nothing leaves', () => {
  const cloud = { models: [{ match: '*', targets: ['coder/*'] }] };

  it.each<[string, string, RegExp, RigOptions?]>([
    ['a body that is no JSON', '{', /does not parse/],
    ['the model named twice', '{"model":"a","model":"b","messages":[]}', /same key twice/],
    ['a model that passes on to a cloud', chatBody({ model: 'qwen3:480b-cloud' }), /no target/, { config: cloud }],
    ['a remote MCP server', chatBody({ tools: [{ type: 'mcp', server_url: 'https://evil.example' }] }), /MCP server/],
    [
      'an image by its address',
      chatBody({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://evil.example/?q' } }] }] }),
      /send the image itself/,
    ],
    ['a hosted tool that nobody knows', chatBody({ tools: [{ type: 'teleport' }] }), /not known here \(teleport\)/],
    ['a list of further models', chatBody({ models: ['gpt-x'] }), /choice of the model/],
    ['a body longer than the limit', chatBody({ pad: 'x'.repeat(5000) }), /longer than 4096 bytes/, { limits: { maxBytes: 4096 } }],
    ['a monitor that throws', chatBody(), /bug in the product/, { decide: () => Promise.reject(new Error('boom')) }],
    [
      'a monitor that hangs',
      chatBody(),
      /came too late[^]*\(INSPECT_LIMIT\)/,
      { decide: () => new Promise(() => {}), limits: { mediateMs: 50 } },
    ],
    ['a ledger that cannot append', chatBody(), /not in the ledger/, { append: () => Promise.reject(new Error('full')) }],
  ])('with %s', async (_name, body, reason, options = {}) => {
    const { inside, outside, rig } = await pair(
      options.config
        ? { ...options, config: { providers: [provider({ id: 'coder', url: 'http://127.0.0.1:9/v1' })], ...options.config } }
        : options,
    );
    for (const stream of [false, true]) {
      const told = await ask(rig.url + chat, { headers: bearer, body: stream ? body.replace(/}$/, ',"stream":true}') : body });
      expect([told.status, inside.received, outside.received]).toEqual([400, [], []]);
      expect(messageOf(told)).toMatch(/^Intramur refused: /);
      expect(messageOf(told)).toMatch(reason);
    }
  });

  it('with a caller that drips its body', async () => {
    const { inside, rig } = await pair({ limits: { idleMs: 80 } });
    const told = await new Promise<string>((resolve) => {
      const { port, hostname } = new URL(rig.url);
      const socket = net.connect(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (text.includes('}}')) socket.destroy();
      });
      socket.on('close', () => resolve(text));
      socket.write(`POST ${chat} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testKey}\r\ncontent-length: 500\r\n\r\n{"model":`);
    });
    expect(told).toMatch(/^HTTP\/1\.1 400 /);
    expect(told).toContain('came too slowly');
    expect(inside.received).toEqual([]);
  });

  it('with a caller that drips its headers: cut off at the limit, while others are served', async () => {
    const { inside, rig } = await pair();
    const { port, hostname } = new URL(rig.url);
    const socket = net.connect(Number(port), hostname);
    const closed = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
    socket.write(`POST ${chat} HTTP/1.1\r\nhost: x\r\n`);
    const drip = setInterval(() => socket.write('x-a: b\r\n'), 20);
    expect((await ask(rig.url + chat, { headers: bearer, body: chatBody() })).status).toBe(200);
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
    expect([inside.received.length, rig.judged.length]).toEqual([1, 1]);
  });

  it('by way of a redirect', async () => {
    const trap = await upstream();
    const { inside, outside, rig } = await pair({ decide: insideOnly });
    inside.setFault({ redirect: `${trap.url}/v1/chat/completions` });
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([told.status, messageOf(told).includes('redirect'), trap.received, outside.received]).toEqual([400, true, [], []]);
  });

  it('by way of a proxy that the environment names', async () => {
    const proxy = await upstream();
    const saved = { ...process.env };
    for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY']) process.env[name] = proxy.url;
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      const { inside, rig } = await pair();
      await ask(rig.url + chat, { headers: bearer, body: chatBody() });
      expect([inside.received.length, proxy.received]).toEqual([1, []]);
    } finally {
      process.env = saved;
    }
  });

  it('to an inside target whose address is not inside', async () => {
    const { outside, rig } = await pair({
      decide: insideOnly,
      config: {
        providers: [provider({ id: 'coder', url: 'http://[64:ff9b::808:808]:1/v1' })],
        models: [{ match: '*', targets: ['coder/*'] }],
      },
    });
    const told = await ask(rig.url + chat, { headers: bearer, body: chatBody() });
    expect([told.status, messageOf(told).includes('its address is not inside'), outside.received]).toEqual([400, true, []]);
  });
});
