import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, type Dialect, dialects } from '../core/index.ts';
import { rehearse, type Turn } from '../testing/index.ts';
import { readWhole, type StreamForm, streamError, streamWatcher } from './index.ts';

const turn: Turn = {
  thinking: 'Hm …',
  text: 'héllo 🙂 "finishReason" [DONE]',
  acts: [{ do: 'tool', name: 'write', input: { text: 'ü\n' } }],
};
const forms: readonly (readonly [Dialect, StreamForm])[] = [
  ...dialects.map((dialect) => [dialect, 'sse'] as const),
  ['gemini', 'json-array'],
];

function watch(dialect: Dialect, form: StreamForm, chunks: readonly Uint8Array[]) {
  const watcher = streamWatcher(dialect, form);
  for (const chunk of chunks) watcher.push(chunk);
  const { isComplete, usage, upstreamError } = watcher;
  return { isComplete, usage, upstreamError };
}

/** Cuts `bytes` at the given fractions of its length. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe.each(forms)('%s as %s', (dialect, form) => {
  const { chunks, body } = rehearse(dialect, turn, { asJsonArray: form === 'json-array' });
  const stream = Buffer.from(chunks.join(''));

  it('sees the end and the usage, which is that of the whole response', () => {
    const usage = readWhole(dialect, Buffer.from(body))?.usage;
    expect(usage).toMatchObject({ inputTokens: 2, cachedTokens: 0 });
    expect(watch(dialect, form, [stream])).toEqual({ isComplete: true, usage, upstreamError: undefined });
  });

  it('property: any split of the bytes gives the same answer, and so do CR and CRLF', () => {
    const whole = watch(dialect, form, [stream]);
    const crlf = Buffer.from(stream.toString().replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'));
    const cr = Buffer.from(stream.toString().replaceAll('\r\n', '\n').replaceAll('\n', '\r'));
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { maxLength: 20 }), fc.constantFrom(stream, crlf, cr), (cuts, bytes) => {
        expect(watch(dialect, form, split(bytes, cuts))).toEqual(whole);
      }),
      { numRuns: 150 },
    );
    expect(
      watch(
        dialect,
        form,
        [...stream].map((byte) => Buffer.of(byte)),
      ),
    ).toEqual(whole);
  });

  it('a cut before the last event is never complete', () => {
    // Gemini says the end in its last chunk, and an array is closed after it.
    for (let n = 0; n < chunks.length - 1; n++)
      expect(watch(dialect, form, [Buffer.from(chunks.slice(0, n).join(''))]).isComplete).toBe(false);
  });

  it('our own error event is an error to a reader, and no clean end', () => {
    const seen = watch(dialect, form, [Buffer.from(chunks[0] ?? ''), streamError(dialect, 'cut off', form)]);
    expect(seen.upstreamError).toBe('cut off');
    if (dialect !== 'openai-responses') expect(seen.isComplete).toBe(false);
  });

  it('garbage, half characters and NULs are not an end', () => {
    expect(watch(dialect, form, [Buffer.from([0xff, 0x00, 0x0a, 0x0a, 0xc3]), Buffer.from('data: {"a"\n\ndata: null\n\n')])).toEqual({
      isComplete: false,
      usage: undefined,
      upstreamError: undefined,
    });
  });

  it('a line without end is cut off', () => {
    const watcher = streamWatcher(dialect, form);
    const chunk = Buffer.from(`[{"a":"${'x'.repeat(1 << 20)}`);
    watcher.push(Buffer.from(form === 'sse' ? 'data: ' : ''));
    const pushMany = () => {
      for (let n = 0; n < 40; n++) watcher.push(n === 0 ? chunk : Buffer.alloc(1 << 20, 'x'));
    };
    let code: string | undefined;
    try {
      pushMany();
    } catch (fault) {
      code = codeOf(fault);
    }
    expect(code).toBe('UPSTREAM_PROTOCOL');
  });
});

describe('usage', () => {
  it.each<[string, Dialect, object, object]>([
    [
      'Anthropic: cached tokens are beside the input',
      'anthropic-messages',
      { usage: { input_tokens: 3, cache_read_input_tokens: 10, cache_creation_input_tokens: 5, output_tokens: 2 } },
      { inputTokens: 18, outputTokens: 2, cachedTokens: 10, cacheWriteTokens: 5 },
    ],
    [
      'Chat: cached tokens are in the prompt',
      'openai-chat',
      {
        usage: {
          prompt_tokens: 13,
          completion_tokens: 9,
          prompt_tokens_details: { cached_tokens: 10 },
          completion_tokens_details: { reasoning_tokens: 4 },
        },
      },
      { inputTokens: 13, outputTokens: 9, cachedTokens: 10, reasoningTokens: 4 },
    ],
    [
      'DeepSeek: its own name for cached tokens',
      'openai-chat',
      { usage: { prompt_tokens: 13, completion_tokens: 9, prompt_cache_hit_tokens: 10, prompt_cache_miss_tokens: 3 } },
      { inputTokens: 13, outputTokens: 9, cachedTokens: 10 },
    ],
    [
      'Responses',
      'openai-responses',
      { usage: { input_tokens: 13, output_tokens: 9, input_tokens_details: { cached_tokens: 10 } } },
      { inputTokens: 13, outputTokens: 9, cachedTokens: 10 },
    ],
    [
      'Gemini: thoughts are beside the candidates',
      'gemini',
      { usageMetadata: { promptTokenCount: 13, cachedContentTokenCount: 10, candidatesTokenCount: 2, thoughtsTokenCount: 7 } },
      { inputTokens: 13, outputTokens: 9, cachedTokens: 10, reasoningTokens: 7 },
    ],
    [
      'hostile numbers',
      'openai-chat',
      { usage: { prompt_tokens: -5, completion_tokens: '9', prompt_tokens_details: null } },
      { inputTokens: 0, outputTokens: 0, cachedTokens: 0 },
    ],
  ])('%s', (_name, dialect, body, usage) => {
    expect(readWhole(dialect, Buffer.from(JSON.stringify(body)))?.usage).toEqual(usage);
  });

  it('is unknown when nothing states it', () => {
    expect(readWhole('gemini', Buffer.from('not json'))).toBeUndefined();
  });
});
