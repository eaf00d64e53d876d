// An answer gets its secrets back however it is cut, and nothing else of it changes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dialect, dialects } from '../core/index.ts';
import { createSecretPlaceholders } from '../inspect/index.ts';
import { Restoring, StreamRestorer } from './restore-secrets.ts';

const placeholders = createSecretPlaceholders();
const plain = 'AKIAQYLPMN5HHHFPZAM2';
const awkward = '-----BEGIN KEY-----\nab"c\\d\té\n-----END KEY-----';
const originals = new Map([plain, awkward].map((secret) => [placeholders.of('s', secret), secret]));
const [one = '', two = ''] = originals.keys();
const foreign = placeholders.of('another session', plain);

type Kind = 'text' | 'thinking' | 'call';

/** One event in which a text goes on, as its dialect writes it. `call`: arguments of a tool call, which are JSON. */
const deltas: Readonly<Record<Dialect, (kind: Kind, text: string) => string>> = {
  'anthropic-messages': (kind, text) => {
    const name = { text: 'text', thinking: 'thinking', call: 'partial_json' }[kind];
    const type = { text: 'text_delta', thinking: 'thinking_delta', call: 'input_json_delta' }[kind];
    return sse({ type: 'content_block_delta', index: kind.length, delta: { type, [name]: text } }, 'content_block_delta');
  },
  'openai-chat': (kind, text) => {
    const delta = {
      text: { content: text },
      thinking: { reasoning_content: text },
      call: { tool_calls: [{ index: 0, function: { arguments: text } }] },
    };
    return sse({ id: 'c', choices: [{ index: 0, delta: delta[kind], finish_reason: null }] });
  },
  'openai-responses': (kind, text) => {
    const type = { text: 'output_text', thinking: 'reasoning_summary_text', call: 'function_call_arguments' }[kind];
    return sse(
      { type: `response.${type}.delta`, item_id: 'i', output_index: kind.length, content_index: 0, delta: text },
      `response.${type}.delta`,
    );
  },
  gemini: (kind, text) =>
    sse({ candidates: [{ content: { role: 'model', parts: [{ text, ...(kind === 'thinking' ? { thought: true } : {}) }] }, index: 0 }] }),
};

const ends: Readonly<Record<Dialect, string>> = {
  'anthropic-messages': sse({ type: 'content_block_stop', index: 0 }, 'content_block_stop'),
  'openai-chat': 'data: [DONE]\n\n',
  'openai-responses': sse({ type: 'response.completed', response: { id: 'r' } }, 'response.completed'),
  gemini: sse({ candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'STOP' }] }),
};

function sse(data: object, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function restore(
  dialect: Dialect,
  stream: string,
  cuts: readonly number[],
  form: 'sse' | 'json-array' = 'sse',
): { text: string; count: number } {
  const bytes = Buffer.from(stream);
  const restoring = new Restoring(originals);
  const restorer = new StreamRestorer(dialect, form, restoring);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const out = [...places, bytes.length].map((end, i) => restorer.push(bytes.subarray(places[i - 1] ?? 0, end)));
  return { text: Buffer.concat([...out, restorer.end()]).toString(), count: restoring.count };
}

/** All strings of a stream's events that carry text, put together by kind. */
function textsOf(stream: string): string {
  const texts = new Map<string, string>();
  for (const [, data = ''] of stream.matchAll(/^data: (\{.*\})$/gm)) {
    const walk = (value: unknown, key: string): void => {
      if (
        typeof value === 'string' &&
        ['text', 'thinking', 'partial_json', 'content', 'reasoning_content', 'arguments', 'delta'].includes(key)
      )
        texts.set(key, (texts.get(key) ?? '') + value);
      else if (typeof value === 'object' && value !== null)
        for (const [inner, of] of Object.entries(value)) walk(of, Array.isArray(value) ? key : inner);
    };
    walk(JSON.parse(data), '');
  }
  return [...texts.values()].join('');
}

const restored = (text: string, isJson: boolean): string =>
  [...originals].reduce(
    (before, [placeholder, secret]) => before.replaceAll(placeholder, () => (isJson ? JSON.stringify(secret).slice(1, -1) : secret)),
    text,
  );

const cuts = fc.array(fc.nat(5000), { maxLength: 12 });
const words = fc.array(fc.constantFrom(one, two, foreign, one.slice(0, 20), 'intramur_', 'int', 'é"\n', ' plain words ', '\\'), {
  maxLength: 8,
});

describe.each(dialects)('a stream in %s', (dialect) => {
  const kinds: readonly Kind[] = dialect === 'gemini' ? ['text', 'thinking'] : ['text', 'thinking', 'call'];

  it.each(kinds)('gets secrets back in its %s, wherever the words and the bytes are cut', (kind) => {
    fc.assert(
      fc.property(words, cuts, cuts, fc.boolean(), (pieces, textCuts, byteCuts, hasPings) => {
        const text = pieces.join('');
        const places = [...new Set(textCuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b);
        const parts = [...places, text.length].map((end, i) => text.slice(places[i - 1] ?? 0, end));
        const between = hasPings ? (dialect === 'anthropic-messages' ? sse({ type: 'ping' }, 'ping') : ': keep-alive\n\n') : '';
        const stream = parts.map((part) => deltas[dialect](kind, part)).join(between) + ends[dialect];
        const { text: out } = restore(dialect, stream, byteCuts);
        expect(textsOf(out)).toBe(restored(text, kind === 'call'));
        // Every other byte is as it was.
        const bare = (events: string): string =>
          events.replaceAll(/"(text|thinking|partial_json|content|reasoning_content|arguments|delta)":"(?:[^"\\]|\\.)*"/g, '"$1":""');
        expect(bare(out)).toBe(bare(stream));
      }),
      { numRuns: 60 },
    );
  });

  it('without a placeholder passes byte for byte, line ends included', () => {
    const stream = (deltas[dialect]('text', 'intramur_sec') + deltas[dialect]('text', 'ond words') + ends[dialect]).replaceAll(
      '\n',
      '\r\n',
    );
    for (let cut = 0; cut < stream.length; cut += 3) expect(restore(dialect, stream, [cut])).toEqual({ text: stream, count: 0 });
  });

  it('that is cut off in the middle of a placeholder shows what came, and no secret', () => {
    const stream = deltas[dialect]('text', `a ${one.slice(0, 30)}`);
    expect(restore(dialect, stream, [])).toEqual({ text: stream, count: 0 });
  });

  it('knows only the placeholders of its own call', () => {
    const nearly = one.slice(0, -1) + (one.endsWith('a') ? 'b' : 'a');
    const stream = deltas[dialect]('text', `${foreign} ${nearly}`) + ends[dialect];
    expect(restore(dialect, stream, [40])).toEqual({ text: stream, count: 0 });
  });
});

describe('parallel tool calls', () => {
  it('whose pieces come in turn are told apart', () => {
    const piece = (index: number, text: string): string =>
      sse({ choices: [{ index: 0, delta: { tool_calls: [{ index, function: { arguments: text } }] } }] });
    const [a, b] = [`{"k":"${one}"}`, `{"k":"${two}"}`];
    const stream =
      [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55].map((at) => piece(0, a.slice(at, at + 5)) + piece(1, b.slice(at, at + 5))).join('') +
      ends['openai-chat'];
    const out = restore('openai-chat', stream, []).text;
    const calls = ['', ''];
    for (const [, data = ''] of out.matchAll(/^data: (\{.*\})$/gm)) {
      const [call] = (JSON.parse(data) as { choices: [{ delta: { tool_calls: { index: 0 | 1; function: { arguments: string } }[] } }] })
        .choices[0].delta.tool_calls;
      if (call) calls[call.index] += call.function.arguments;
    }
    expect(calls.map((text) => JSON.parse(text) as unknown)).toEqual([{ k: plain }, { k: awkward }]);
  });
});

it('whole texts in the last events of a stream are restored, arguments as JSON', () => {
  const item = { type: 'function_call', arguments: JSON.stringify({ k: two }) };
  const stream = sse({
    type: 'response.completed',
    response: { output: [item, { content: [{ type: 'output_text', text: `it is ${two}` }] }] },
  });
  const data = JSON.parse(restore('openai-responses', stream, []).text.slice('data: '.length)) as {
    response: { output: [typeof item, { content: [{ text: string }] }] };
  };
  expect([JSON.parse(data.response.output[0].arguments), data.response.output[1].content[0].text]).toEqual([
    { k: awkward },
    `it is ${awkward}`,
  ]);
});

it("Gemini's array of answers keeps its commas and line ends", () => {
  const element = (text: string): string => JSON.stringify({ candidates: [{ content: { parts: [{ text }] } }] });
  const array = (...texts: string[]): string => `[${texts.map(element).join(',\r\n')}\n]\n`;
  fc.assert(
    fc.property(cuts, fc.integer({ min: 1, max: one.length - 1 }), (byteCuts, at) => {
      const out = restore('gemini', array('a [{"', `b ${one.slice(0, at)}`, `${one.slice(at)} c\\"`, 'd'), byteCuts, 'json-array').text;
      expect(out).toBe(array('a [{"', 'b ', `${plain} c\\"`, 'd'));
    }),
  );
});

describe('a whole answer', () => {
  it('gets secrets back in its strings, and every other byte stays', () => {
    const text = (a: string, b: string): string =>
      `{ "a" : "x ${a}",\t"tool":{"arguments":"{\\"k\\":\\"${b}\\"}"}, "n":1.0e2, "input":{"arguments":"${a}"} }`;
    const restoring = new Restoring(originals);
    const out = Buffer.from(restoring.whole(Buffer.from(text(one, two)))).toString();
    expect(out).toBe(text(plain, JSON.stringify(JSON.stringify(awkward).slice(1, -1)).slice(1, -1)));
    expect(JSON.parse((JSON.parse(out) as { tool: { arguments: string } }).tool.arguments)).toEqual({ k: awkward });
    expect(restoring.count).toBe(3);
  });

  it('leaves keys alone', () => {
    const body = Buffer.from(JSON.stringify({ [one]: 'x' }));
    expect(new Restoring(originals).whole(body)).toEqual(body);
  });

  it('grows by a bounded amount, however often it names a placeholder', () => {
    const long = new Map([[one, 'x'.repeat(4000)]]);
    const restoring = new Restoring(long);
    const out = restoring.whole(Buffer.from(JSON.stringify({ text: one.repeat(10_000) })));
    expect([out.length < 2 * 1024 * 1024, restoring.count]).toEqual([true, Math.floor((1024 * 1024) / 4000)]);
  });
});
