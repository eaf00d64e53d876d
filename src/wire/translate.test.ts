import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { rehearse } from '../testing/index.ts';
import { readResponse as readAnthropic } from './anthropic/response.ts';
import { Reader as AnthropicReader } from './anthropic/stream.ts';
import type { StreamReader } from './canonical/response.ts';
import { readResponse as readGemini } from './gemini/response.ts';
import { Reader as GeminiReader } from './gemini/stream.ts';
import { translateResponse } from './index.ts';
import type { JsonObject } from './json.ts';
import { readResponse as readChat } from './openai-chat/response.ts';
import { Reader as ChatReader } from './openai-chat/stream.ts';
import { readResponse as readResponses } from './openai-responses/response.ts';
import { Reader as ResponsesReader } from './openai-responses/stream.ts';
import { SseDecoder } from './sse.ts';
import { codeFrom, json, pairs, streamed, translate, turn, watched } from './test-rig.ts';

describe.each(pairs)('%s to %s', (from, to) => {
  it('request', async () => {
    const { body, target, lossy } = translate(from, to);
    const shown = `POST ${target}\nlossy: ${lossy.join(', ')}\n\n${JSON.stringify(JSON.parse(Buffer.from(body).toString()), null, 2)}\n`;
    await expect(shown).toMatchFileSnapshot(`testdata/requests/${from}.to.${to}.golden.txt`);
  });

  it('response', async () => {
    const { translation } = translate(from, to);
    const { body } = translateResponse(translation, Buffer.from(rehearse(to, turn).body));
    const shown = `${JSON.stringify(JSON.parse(Buffer.from(body).toString()), null, 2)}\n`;
    await expect(shown).toMatchFileSnapshot(`testdata/responses/${to}.to.${from}.golden.json`);
  });

  it('stream', async () => {
    await expect(streamed(from, to, rehearse(to, turn).chunks)).toMatchFileSnapshot(`testdata/streams/${to}.to.${from}.golden.txt`);
  });

  it('property: a stream split anywhere gives the same bytes', () => {
    const bytes = Buffer.from(rehearse(to, turn).chunks.join(''));
    const whole = streamed(from, to, [bytes]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts, bytes.length].sort((a, b) => a - b);
        expect(
          streamed(
            from,
            to,
            at.slice(1).map((end, i) => bytes.subarray(at[i], end)),
          ),
        ).toBe(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('property: a stream cut anywhere before its end gives an error event and no clean end', () => {
    const { chunks } = rehearse(to, turn);
    const bytes = Buffer.from(chunks.join(''));
    // The last event is the end; Gemini's end is in its last event too.
    const last = bytes.length - Buffer.byteLength(chunks.at(-1) ?? '');
    fc.assert(
      fc.property(fc.nat(last), (cut) => {
        const { isComplete, upstreamError } = watched(from, Buffer.from(streamed(from, to, [bytes.subarray(0, cut)])));
        expect(upstreamError).toBeDefined();
        if (from !== 'openai-responses') expect(isComplete).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('the whole answer and the stream mean the same', () => {
    const { translation } = translate(from, to);
    const stream = Buffer.from(streamed(from, to, rehearse(to, turn).chunks));
    const { body, usage } = translateResponse(translation, Buffer.from(rehearse(to, turn).body));
    const seen = watched(from, stream);
    expect(seen.isComplete).toBe(true);
    expect(seen.usage).toMatchObject({ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens });
    expect(assembled(from, stream)).toEqual(partsOf(from, body));
  });

  it('an error of the upstream in mid-stream is an error to the client', () => {
    const { chunks } = rehearse(to, turn);
    const error = {
      'anthropic-messages': { type: 'error', error: { type: 'overloaded_error', message: 'busy' } },
      'openai-responses': { type: 'error', message: 'busy' },
    };
    const event = `data: ${JSON.stringify({ error: { message: 'busy' }, ...error[to as 'openai-responses'] })}\n\n`;
    const seen = watched(from, Buffer.from(streamed(from, to, [...chunks.slice(0, 3), event])));
    expect(seen.upstreamError).toBe('busy');
  });

  it('hostile answers are refused or become an error event', () => {
    const { translation } = translate(from, to);
    for (const answer of ['', 'null', '[]', '{}', '{"ok":true}', 'x'.repeat(100_000), '{"a":'])
      expect(codeFrom(() => translateResponse(translation, Buffer.from(answer)))).toBe('UPSTREAM_PROTOCOL');
    for (const stream of ['', '\0', 'data: {}\n\n', 'data: {"type":\n\n', 'data: [DONE]\n\n', 'event: message_stop\n\n'])
      expect(watched(from, Buffer.from(streamed(from, to, [stream]))).upstreamError).toBeDefined();
  });
});

const readers: Readonly<Record<Dialect, () => StreamReader>> = {
  'anthropic-messages': () => new AnthropicReader(),
  'openai-chat': () => new ChatReader(() => 'id'),
  'openai-responses': () => new ResponsesReader(),
  gemini: () => new GeminiReader(() => 'id'),
};

/** The parts that a client puts together from a stream. */
function assembled(dialect: Dialect, stream: Buffer): Record<string, string>[] {
  const reader = readers[dialect]();
  const steps = [...new SseDecoder().push(stream).flatMap((event) => reader.read(event)), ...reader.finish()];
  const parts: Record<string, string>[] = [];
  for (const step of steps) {
    if (step.kind === 'open') parts[step.part] = { text: '', ...step.of };
    const part = step.kind === 'more' || step.kind === 'sign' ? parts[step.part] : undefined;
    if (part && step.kind === 'more') part['text'] += step.text;
    if (part && step.kind === 'sign') part['signature'] = step.signature.value;
  }
  return parts;
}

/** The parts of a whole answer, in the same form. */
function partsOf(dialect: Dialect, body: Uint8Array): Record<string, string>[] {
  const { parts } = responseReaders[dialect](json(body) as JsonObject, () => 'id');
  return parts.map((part) => {
    if (part.kind === 'tool-call') return { kind: part.kind, id: part.id, name: part.name, text: part.input };
    return {
      kind: part.kind,
      text: part.text,
      ...(part.kind === 'thinking' && part.signature?.value && { signature: part.signature.value }),
    };
  });
}

const responseReaders = {
  'anthropic-messages': readAnthropic,
  'openai-chat': readChat,
  'openai-responses': readResponses,
  gemini: readGemini,
};
