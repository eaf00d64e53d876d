// A real llama.cpp server behind the gateway, in all four dialects. Neither npm nor Debian 12 ships `llama-server` (the npm packages hold
// bindings without a server), so it runs where somebody has one: LLAMA_SERVER names the program, LLAMA_MODEL a GGUF file; any will do, since
// the wire is what is tested.
import { type ChildProcess, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRig, type Rig } from './rig.ts';

const { LLAMA_SERVER: program = '', LLAMA_MODEL: model = '' } = process.env;
const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;

describe.skipIf(program === '' || model === '')(
  'a real llama.cpp server (needs LLAMA_SERVER and LLAMA_MODEL: no package registry ships it)',
  () => {
    let server: ChildProcess;
    let rig: Rig;
    let url = '';

    beforeAll(async () => {
      const port = await freePort();
      server = spawn(program, ['--model', model, '--host', '127.0.0.1', '--port', String(port), '--ctx-size', '2048', '--jinja'], {
        stdio: 'ignore',
      });
      for (let i = 0; i < 600; i++) {
        const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
        if (answer?.status === 200) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      rig = await createRig();
      rig.configure(`providers:
  - { id: chat, dialect: openai-chat, url: "http://127.0.0.1:${port}/v1", perimeter: onprem }
  - { id: messages, dialect: anthropic-messages, url: "http://127.0.0.1:${port}", perimeter: onprem }
models: { "translated": [chat/any], "native": [chat/any, messages/any] }
keys: [{ id: ide, sha256: ${crypto.hash('sha256', key)}, purpose: research }]
`);
      expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0 });
      url = (JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } }).gateway.url;
    });
    afterAll(async () => {
      await rig.close();
      server.kill();
    });

    const user = { role: 'user', content: 'hello' };
    it.each<[string, object, RegExp]>([
      ['/v1/chat/completions', { model: 'native', max_tokens: 8, stream: true, messages: [user] }, /\[DONE\]/],
      ['/v1/messages', { model: 'native', max_tokens: 8, stream: true, messages: [user] }, /message_stop/],
      ['/v1/messages', { model: 'translated', max_tokens: 8, stream: true, messages: [user] }, /message_stop/],
      ['/v1/responses', { model: 'translated', max_output_tokens: 16, stream: true, input: 'hello' }, /response\.(?:completed|incomplete)/],
      [
        '/v1beta/models/translated:streamGenerateContent?alt=sse',
        { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
        /"finishReason"/,
      ],
    ])('%s %j', async (target, body, end) => {
      const response = await fetch(url + target, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
      expect([response.status, await response.text()]).toEqual([200, expect.stringMatching(end)]);
    });
  },
);

async function freePort(): Promise<number> {
  const probe = net.createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
