// A real llama.cpp server behind the gateway: every dialect of a client on every dialect that the server speaks. The model is noise, but the
// server holds it to a grammar, so that it calls tools as they are declared and gives JSON of the shape that was asked for.
import crypto from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/index.ts';
import { type Asked, bodyOf, dialects, pathOf, read } from './llama/ask.ts';
import { type LlamaServer, llamaMissing, startLlama } from './llama/server.ts';
import { createRig, type Rig } from './rig.ts';

const key = `sk-test-${crypto.randomBytes(12).toString('hex')}`;
const colours = { type: 'object', properties: { colour: { type: 'string', enum: ['red', 'green'] } }, required: ['colour'] };
const tool = { name: 'pick', description: 'Picks a colour', parameters: colours };
const spoken = ['chat', 'messages', 'responses'] as const;

describe.skipIf(llamaMissing !== undefined)(`a real llama.cpp server${llamaMissing === undefined ? '' : `: ${llamaMissing}`}`, () => {
  let server: LlamaServer;
  let rig: Rig;
  let url = '';

  beforeAll(async () => {
    rig = await createRig();
    server = await startLlama(rig.dir);
    rig.configure(`providers:
  - { id: chat, dialect: openai-chat, url: "http://127.0.0.1:${server.port}/v1", perimeter: onprem }
  - { id: messages, dialect: anthropic-messages, url: "http://127.0.0.1:${server.port}", perimeter: onprem }
  - { id: responses, dialect: openai-responses, url: "http://127.0.0.1:${server.port}/v1", perimeter: onprem }
models: { ${spoken.map((id) => `on-${id}: [${id}/noise]`).join(', ')} }
keys: [{ id: ide, sha256: ${crypto.hash('sha256', key)}, purpose: research }]
`);
    expect(await rig.intramur(['up', '--background'])).toMatchObject({ code: 0 });
    url = (JSON.parse((await rig.intramur(['status', '--json'])).stdout) as { gateway: { url: string } }).gateway.url;
  });
  afterAll(async () => {
    await rig.close();
    server.stop();
  });

  async function ask(dialect: (typeof dialects)[number], asked: Asked) {
    const response = await fetch(url + pathOf(dialect, asked), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify(bodyOf(dialect, asked)),
    });
    const answer = await response.text();
    expect({ status: response.status, answer }).toMatchObject({ status: 200 });
    return { ...read(dialect, asked.stream, answer), answer };
  }

  const ways = dialects.flatMap((dialect) => spoken.flatMap((upstream) => [false, true].map((stream) => ({ dialect, upstream, stream }))));

  it.each(ways)('calls a tool: $dialect on $upstream, streamed $stream', async ({ dialect, upstream, stream }) => {
    const { calls, isWhole } = await ask(dialect, { model: `on-${upstream}`, stream, user: 'pick one', tool });
    expect(isWhole).toBe(true);
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) expect(call).toEqual({ name: 'pick', input: { colour: expect.stringMatching(/^(?:red|green)$/) } });
  });

  it.each(ways.filter(({ stream }) => stream))('goes on from what a tool gave: $dialect on $upstream', async ({ dialect, upstream }) => {
    const asked = { model: `on-${upstream}`, stream: true, user: 'pick one', tool, result: 'it is red now' };
    expect(await ask(dialect, asked)).toMatchObject({ isWhole: true });
  });

  it.each(ways.filter(({ stream }) => stream))('says something: $dialect on $upstream', async ({ dialect, upstream }) => {
    const said = await ask(dialect, { model: `on-${upstream}`, stream: true, user: 'hello', most: 40 });
    expect(said).toMatchObject({ isWhole: true, calls: [], text: expect.stringMatching(/./s) });
  });

  it.each(dialects.map((dialect) => ({ dialect })))('gives JSON of the shape that $dialect asks for', async ({ dialect }) => {
    const { text } = await ask(dialect, {
      model: 'on-chat',
      stream: false,
      user: 'hello',
      shape: { ...colours, additionalProperties: false },
    });
    expect(JSON.parse(text)).toEqual({ colour: expect.stringMatching(/^(?:red|green)$/) });
  });

  it.each(spoken)('counts in the ledger what the server counted: %s', async (upstream) => {
    const { answer } = await ask('openai-chat', {
      model: `on-${upstream}`,
      stream: false,
      user: `how much is this on ${upstream}`,
      most: 5,
    });
    const { usage } = JSON.parse(answer) as { usage: { prompt_tokens: number; completion_tokens: number } };
    const { stdout } = await rig.intramur(['ledger', 'export', '--format', 'jsonl']);
    const entries = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry);
    expect(entries.findLast(({ outcomeOf }) => outcomeOf !== undefined)).toMatchObject({
      detail: { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens },
    });
  });
});
