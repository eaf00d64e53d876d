// A secret in a prompt, from the client to a public model and back: the monitor, the detectors and the gateway together.
import { afterEach, describe, expect, it } from 'vitest';
import { type Dialect, deny, dialects } from '../core/index.ts';
import { createInspector, createSecretPlaceholders, secretPlaceholderPattern } from '../inspect/index.ts';
import { createTaint, mediate } from '../monitor/index.ts';
import { type FakeUpstream, type Script, startFakeUpstream } from '../testing/index.ts';
import { allow, ask, bearer, provider, type Rig, startRig, until } from './test-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

const secret = `AKIA${'QYLPMN5HHHFPZAM2'}`;
const placeholdersIn = (text: string): string[] => text.match(secretPlaceholderPattern) ?? [];

/** Says back what it was told, in words and in a tool call whose argument is a file with quotes and line ends. */
const echo: Script = ({ text }) => {
  const [found = 'none'] = placeholdersIn(text);
  return { text: `it is ${found}, I see`, acts: [{ do: 'tool', name: 'save', input: { content: `KEY="${found}"\n`, deep: [{ found }] } }] };
};

async function between(
  script: Script,
  upstreamDialect: Dialect,
  secrets: 'placeholder' | 'block' = 'placeholder',
): Promise<{ upstream: FakeUpstream; rig: Rig }> {
  const upstream = await startFakeUpstream({ script });
  const placeholders = createSecretPlaceholders();
  const inspector = createInspector({ isPlaceholder: placeholders.isOurs });
  const taint = createTaint();
  const rig = await startRig({
    config: {
      providers: [
        provider({
          id: 'vendor',
          url: upstream.url + (upstreamDialect.startsWith('openai') ? '/v1' : ''),
          perimeter: 'public',
          dialect: upstreamDialect,
        }),
      ],
      models: [{ match: '*', targets: ['vendor/rehearsal'] }],
    },
    mediate: (request, body, append) =>
      mediate(request, body, {
        inspect: inspector.inspect,
        decide: ({ act }, { labels }) =>
          labels.includes('secret') ? deny('no secret leaves', ['p']) : allow(act.action === 'llm.invoke' ? act.targets : []),
        append,
        taint,
        placeholders: secrets === 'block' ? undefined : placeholders,
        now: () => new Date(0),
      }),
  });
  open.push(upstream, rig);
  return { upstream, rig };
}

interface Shape {
  path(stream: boolean): string;
  body(text: string, stream: boolean): object;
  /** Words and tool arguments of an answer, whole or streamed. */
  read(text: string): { words: string; input: unknown };
}

const parameters = { type: 'object', properties: { content: { type: 'string' }, deep: { type: 'array', items: {} } } };

/** What `JSON.parse` gives: a test reads it as it should be, and fails where it is not. */
type Parsed = ReturnType<typeof JSON.parse>;

const events = (text: string): Parsed[] =>
  text.startsWith('{') ? [JSON.parse(text)] : [...text.matchAll(/^data: (\{.*\})\r?$/gm)].map(([, data = '']) => JSON.parse(data));

const shapes: Readonly<Record<Dialect, Shape>> = {
  'anthropic-messages': {
    path: () => '/v1/messages',
    body: (text, stream) => ({
      model: 'm',
      max_tokens: 64,
      stream,
      tools: [{ name: 'save', input_schema: parameters }],
      messages: [{ role: 'user', content: text }],
    }),
    read(text) {
      const [first] = events(text);
      const blocks = first.content ?? [];
      for (const { type, index, content_block, delta } of events(text)) {
        if (type === 'content_block_start') blocks[index] = { ...content_block, json: '' };
        if (type === 'content_block_delta') {
          blocks[index].text += delta.text ?? '';
          blocks[index].json += delta.partial_json ?? '';
        }
      }
      const call = blocks.find((block: Parsed) => block.type === 'tool_use');
      return {
        words: blocks.find((block: Parsed) => block.type === 'text')?.text,
        input: call?.json ? JSON.parse(call.json) : call?.input,
      };
    },
  },
  'openai-chat': {
    path: () => '/v1/chat/completions',
    body: (text, stream) => ({
      model: 'm',
      stream,
      tools: [{ type: 'function', function: { name: 'save', parameters } }],
      messages: [{ role: 'user', content: text }],
    }),
    read(text) {
      let [words, json] = ['', ''];
      for (const { choices } of events(text)) {
        const { delta, message } = choices[0] ?? {};
        words += (message ?? delta)?.content ?? '';
        json += (message ?? delta)?.tool_calls?.[0]?.function?.arguments ?? '';
      }
      return { words, input: json === '' ? undefined : JSON.parse(json) };
    },
  },
  'openai-responses': {
    path: () => '/v1/responses',
    body: (text, stream) => ({
      model: 'm',
      stream,
      tools: [{ type: 'function', name: 'save', parameters }],
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }],
    }),
    read(text) {
      const all = events(text);
      const { output } = all.at(-1).response ?? all[0];
      const streamed = all.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta);
      const json = all
        .filter(({ type }) => type === 'response.function_call_arguments.delta')
        .map(({ delta }) => delta)
        .join('');
      const words = output.find((item: Parsed) => item.type === 'message').content[0].text;
      const call = output.find((item: Parsed) => item.type === 'function_call').arguments;
      // What the deltas said and what the end repeats is the same.
      if (text.startsWith('event')) expect([streamed.join(''), json]).toEqual([words, call]);
      return { words, input: JSON.parse(call) };
    },
  },
  gemini: {
    path: (stream) => (stream ? '/v1beta/models/m:streamGenerateContent?alt=sse' : '/v1beta/models/m:generateContent'),
    body: (text) => ({
      tools: [{ functionDeclarations: [{ name: 'save', parametersJsonSchema: parameters }] }],
      contents: [{ role: 'user', parts: [{ text }] }],
    }),
    read(text) {
      const parts = events(text).flatMap(({ candidates }) => candidates[0].content?.parts ?? []);
      return {
        words: parts.map((part: Parsed) => part.text ?? '').join(''),
        input: parts.find((part: Parsed) => part.functionCall)?.functionCall.args,
      };
    },
  },
};

const pairs = dialects.flatMap((from) => dialects.map((to) => [from, to] as const));

describe.each(pairs)('from %s to %s', (from, to) => {
  it.each([false, true])('a secret leaves as a placeholder and comes back as itself (streamed: %s)', async (stream) => {
    const { upstream, rig } = await between(echo, to);
    const { path, body, read } = shapes[from];
    const told = await ask(rig.url + path(stream), { headers: bearer, body: JSON.stringify(body(`my key is ${secret}, keep it`, stream)) });
    expect([told.status, upstream.received.length, told.isWhole]).toEqual([200, 1, true]);
    const sent = upstream.received[0]?.body.toString() ?? '';
    const [placeholder = ''] = placeholdersIn(sent);
    expect([sent.includes(secret), told.text.includes(placeholder)]).toEqual([false, false]);
    expect(read(told.text)).toEqual({
      words: `it is ${secret}, I see`,
      input: { content: `KEY="${secret}"\n`, deep: [{ found: secret }] },
    });
    await until(() => rig.ledger.length === 2);
    expect(rig.ledger[0]).toMatchObject({
      decision: 'allow',
      labels: [],
      bytesOut: JSON.stringify(body(`my key is ${placeholder}, keep it`, stream)).length,
      detail: { placeholders: 1 },
    });
    expect(rig.ledger[1]).toMatchObject({ status: 200, detail: { restored: expect.any(Number) } });
    expect(JSON.stringify(rig.ledger)).not.toContain(secret);
  });
});

describe('the same dialect', () => {
  it('gets every other byte as it was written, and the answer to the last byte', async () => {
    const { upstream, rig } = await between(echo, 'openai-chat');
    const text = `{ "messages":[ {"content":"a\\u00e9 ${secret}\\n","role":"user"} ] , "model":"rehearsal","x":[1.0e3] }`;
    await ask(`${rig.url}/v1/chat/completions`, { headers: bearer, body: text });
    const sent = upstream.received[0]?.body.toString() ?? '';
    expect(sent).toBe(text.replace(secret, placeholdersIn(sent)[0] ?? ''));
  });
});

describe('an upstream that means harm', () => {
  const { path, body } = shapes['openai-chat'];
  const call = (rig: Rig, session: string, text: string) =>
    ask(rig.url + path(true), { headers: { ...bearer, 'x-session-id': session }, body: JSON.stringify(body(text, true)) });

  it('that says the placeholder of one session to another gets nothing told there', async () => {
    let first = '';
    const { upstream, rig } = await between(({ text }) => {
      first ||= placeholdersIn(text)[0] ?? '';
      return { text: `take ${first}` };
    }, 'openai-chat');
    const own = await call(rig, 'one', `key ${secret}`);
    expect(shapes['openai-chat'].read(own.text).words).toBe(`take ${secret}`);
    // Neither to a session without that secret, nor to one with another placeholder for it, nor to one that sends it by itself.
    for (const text of ['no key here', `key ${secret}`, `what is ${first}?`]) {
      const other = await call(rig, 'two', text);
      expect(shapes['openai-chat'].read(other.text).words).toBe(`take ${first}`);
    }
    expect(upstream.received.map(({ body: sent }) => sent.includes(secret))).toEqual([false, false, false, false]);
  });

  it('that makes placeholders up gets nothing for them', async () => {
    const invented = `intramur_secret_${'abcdefghijklmnopqrstuvwxyz'}`;
    const { rig } = await between([{ text: `take ${invented}` }], 'openai-chat');
    const told = await call(rig, 'one', `key ${secret}`);
    expect(shapes['openai-chat'].read(told.text).words).toBe(`take ${invented}`);
  });
});

it('a conversation with a secret in it goes on, with the same beginning each time', async () => {
  const { upstream, rig } = await between(echo, 'anthropic-messages');
  const messages: { role: string; content: string }[] = [{ role: 'user', content: `key ${secret}` }];
  for (let turn = 0; turn < 3; turn++) {
    const told = await ask(`${rig.url}/v1/messages`, {
      headers: bearer,
      body: JSON.stringify({ model: 'rehearsal', max_tokens: 9, messages }),
    });
    messages.push({ role: 'assistant', content: shapes['anthropic-messages'].read(told.text).words }, { role: 'user', content: 'go on' });
  }
  const sent = upstream.received.map(({ body }) => body.toString().slice(0, -2));
  expect([sent[2]?.startsWith(sent[1] ?? '-'), sent[1]?.startsWith(sent[0] ?? '-')]).toEqual([true, true]);
});

it('where the configuration says block, it is refused', async () => {
  const { upstream, rig } = await between(echo, 'openai-chat', 'block');
  const { path, body } = shapes['openai-chat'];
  const told = await ask(rig.url + path(false), { headers: bearer, body: JSON.stringify(body(secret, false)) });
  expect([told.status, upstream.received]).toEqual([400, []]);
});
