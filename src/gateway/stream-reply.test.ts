import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { rehearse } from '../testing/index.ts';
import { type StreamEnd, StreamReply } from './stream-reply.ts';
import type { Answer, Sink } from './upstream.ts';

const streams: Readonly<Record<Dialect, string>> = {
  'anthropic-messages':
    'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":5}}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"h\u00e9 \u{1f600}"}}\n\nevent: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":7}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
  'openai-chat':
    'data: {"choices":[{"delta":{"content":"h\u00e9"}}]}\r\n\r\ndata: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}\r\n\r\ndata: [DONE]\r\n\r\n',
  'openai-responses':
    'event: response.created\ndata: {"type":"response.created"}\n\nevent: response.completed\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":5,"output_tokens":7}}}\n\n',
  gemini:
    'data: {"candidates":[{"content":{"parts":[{"text":"h\u00e9"}]}}]}\n\ndata: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7}}\n\n',
};

/** Where each dialect's own end begins. */
const ends: Readonly<Record<Dialect, string>> = {
  'anthropic-messages': 'event: message_stop',
  'openai-chat': 'data: [DONE]',
  'openai-responses': 'event: response.completed',
  gemini: 'data: {"candidates":[{"finishReason"',
};

interface Got {
  readonly text: string;
  readonly end: StreamEnd | undefined;
}

/** Passes these pieces through; `ending` is how the upstream leaves. */
async function pass(dialect: Dialect, pieces: readonly Uint8Array[]): Promise<Got> {
  let end: StreamEnd | undefined;
  const reply = new StreamReply({
    dialect,
    form: 'sse',
    keepAliveMs: 60_000,
    errorText: (fault) => `FAILED ${fault}`,
    onEnd: (told) => {
      end = told;
    },
  });
  const answer: Answer = {
    status: 200,
    rawHeaders: [],
    drain(sink: Sink) {
      for (const piece of pieces) sink.data(piece);
      sink.end();
    },
    resume() {},
    abort() {},
  };
  reply.passOn(answer);
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(Buffer.from(chunk as Uint8Array));
  return { text: Buffer.concat(chunks).toString(), end };
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

describe.each(Object.entries(streams) as [Dialect, string][])('%s', (dialect, stream) => {
  const bytes = Buffer.from(stream);

  it('however it is split, the same bytes come out and the same usage is read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1000), { maxLength: 12 }), async (cuts) => {
        const { text, end } = await pass(dialect, split(bytes, cuts));
        expect(text).toBe(stream);
        expect(end).toEqual({ bytesIn: bytes.length, usage: expect.objectContaining({ inputTokens: 5, outputTokens: 7 }) });
      }),
      { numRuns: 60 },
    );
  });

  it('cut anywhere before its end: whole events, then one error event, and no clean end', async () => {
    const last = Buffer.byteLength(stream.slice(0, stream.indexOf(ends[dialect])));
    for (let cut = 0; cut < last; cut++) {
      const { text, end } = await pass(dialect, split(bytes.subarray(0, cut), [Math.floor(cut / 2)]));
      const [before = '', after = ''] = text.split('FAILED the answer of the upstream ended too early');
      const passed = before.slice(
        0,
        before.lastIndexOf('event: error') >= 0 ? before.lastIndexOf('event: error') : before.lastIndexOf('data: '),
      );
      expect(stream.startsWith(passed)).toBe(true);
      expect(passed === '' || /(?:\n\n|\r\n\r\n)$/.test(passed)).toBe(true);
      expect(text).not.toContain(ends[dialect]);
      expect([after.length > 0, end?.fault]).toEqual([true, 'the answer of the upstream ended too early']);
    }
  });
});

it.each(Object.entries(streams) as [Dialect, string][])('%s: an end without its last line ends is an end', async (dialect, stream) => {
  const bytes = Buffer.from(stream.trimEnd());
  const { text, end } = await pass(dialect, [bytes]);
  expect([text, end?.fault]).toEqual([stream.trimEnd(), undefined]);
  // Half of it is none.
  expect((await pass(dialect, [bytes.subarray(0, -1)])).end?.fault).toBe('the answer of the upstream ended too early');
});

it('the error event of a cut Responses stream goes on in its numbers', async () => {
  const { chunks } = rehearse('openai-responses', { text: 'say "sequence_number": 99' }, {});
  for (let n = 0; n < chunks.length; n++) {
    const half = chunks[n]?.slice(0, 40) ?? '';
    const { text } = await pass('openai-responses', [Buffer.from(chunks.slice(0, n).join('') + half)]);
    const numbers = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data).sequence_number);
    expect(numbers).toEqual(Array.from({ length: n + 2 }, (_, i) => i));
  }
});

it('an endless event ends the stream instead of filling the memory', async () => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const { text, end } = await pass('openai-chat', [Buffer.from('data: '), ...Array<Buffer>(40).fill(piece)]);
  expect([end?.fault, text.includes('FAILED'), text.length < 1000]).toEqual(['the upstream sent an event without end', true, true]);
});
