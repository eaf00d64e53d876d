import { describe, expect, it } from 'vitest';
import { type Dialect, dialects } from '../core/index.ts';
import { keepAlive, mapError, modelList, type RefusalKind, refusal, streamError } from './index.ts';

const kinds: readonly RefusalKind[] = ['policy', 'budget', 'fault', 'auth', 'not-found', 'upgrade'];

function shown({ status, rawHeaders, body }: ReturnType<typeof refusal>): string {
  return `${status}\n${rawHeaders.join('\n')}\n\n${Buffer.from(body).toString()}\n`;
}

describe.each(dialects)('%s', (dialect) => {
  it('refuses, byte for byte', async () => {
    const message = 'policy perimeter/inside-only, ledger entry 7';
    const all = kinds.map((kind) => `--- ${kind}: ${shown(refusal(dialect, { message, kind }))}`).join('');
    await expect(all).toMatchFileSnapshot(`testdata/refusal.${dialect}.golden.txt`);
  });

  it('reports a failure in mid-stream and shows life, byte for byte', async () => {
    const text = ['sse', 'json-array'] as const;
    const all = text
      .flatMap((form) => [`--- ${form}\n`, streamError(dialect, 'the upstream cut the stream', form), keepAlive(dialect, form)])
      .join('');
    await expect(all).toMatchFileSnapshot(`testdata/stream-error.${dialect}.golden.txt`);
  });

  it('lists models, byte for byte', async () => {
    await expect(shown(modelList(dialect, ['coder', 'org/m:8b'])) + shown(modelList(dialect, []))).toMatchFileSnapshot(
      `testdata/models.${dialect}.golden.txt`,
    );
  });

  it('never says server_error in a refusal, and begins every message alike', () => {
    for (const kind of kinds) {
      const text = Buffer.from(refusal(dialect, { message: 'Intramur refused: no', kind }).body).toString();
      expect(text).not.toContain('server_error');
      expect(text.match(/Intramur refused:/g)).toHaveLength(1);
    }
  });
});

describe('mapError', () => {
  const anthropic = (type: string, message: string) => JSON.stringify({ type: 'error', error: { type, message } });
  it.each([
    [
      'overload keeps Anthropic out of OpenAI',
      'anthropic-messages',
      'openai-chat',
      529,
      anthropic('overloaded_error', 'busy'),
      503,
      { error: { message: 'busy', type: 'server_error', param: null, code: null } },
    ],
    [
      'rate limit',
      'openai-chat',
      'anthropic-messages',
      429,
      '{"error":{"message":"slow down"}}',
      429,
      { type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } },
    ],
    [
      'an array, as Gemini streams',
      'gemini',
      'openai-chat',
      400,
      '[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]',
      400,
      { error: { message: 'bad', type: 'invalid_request_error', param: null, code: null } },
    ],
    [
      'FastAPI',
      'openai-chat',
      'gemini',
      404,
      '{"detail":"Not Found"}',
      404,
      { error: { code: 404, message: 'Not Found', status: 'NOT_FOUND' } },
    ],
    [
      'Ollama',
      'openai-chat',
      'anthropic-messages',
      404,
      '{"error":"model not found"}',
      404,
      { type: 'error', error: { type: 'not_found_error', message: 'model not found' } },
    ],
    [
      'an HTML page',
      'openai-chat',
      'anthropic-messages',
      502,
      '<html>Bad Gateway</html>',
      502,
      { type: 'error', error: { type: 'api_error', message: 'the upstream answered with status 502' } },
    ],
    [
      'too long a prompt, in the words that make Claude Code compact',
      'openai-chat',
      'anthropic-messages',
      400,
      '{"error":{"message":"maximum context length is 8"}}',
      400,
      { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: maximum context length is 8' } },
    ],
    [
      'too long a prompt, in the code that OpenAI clients know',
      'anthropic-messages',
      'openai-responses',
      413,
      anthropic('request_too_large', 'prompt is too long: 9 > 8'),
      400,
      { error: { message: 'prompt is too long: 9 > 8', type: 'invalid_request_error', param: null, code: 'context_length_exceeded' } },
    ],
  ] as const)('%s', (_name, from, to, status, body, mapped, expected) => {
    const out = mapError(from, to, status, Buffer.from(body));
    expect([out.status, JSON.parse(Buffer.from(out.body).toString())]).toEqual([mapped, expected]);
  });

  it.each(
    dialects.flatMap((from) =>
      dialects.filter((to) => to !== from).flatMap((to) => [503, 529].map((status) => [status, from, to] as const)),
    ),
  )('%i of %s is a 503 in the words of %s, with which every client is patient', (status, from, to) => {
    const body = { error: { type: 'overloaded_error', code: status, message: 'busy', status: 'UNAVAILABLE' } };
    const out = mapError(from, to, status, Buffer.from(JSON.stringify(body)));
    const told = JSON.parse(Buffer.from(out.body).toString());
    const isBetweenOpenAi = from !== to && from.startsWith('openai-') && to.startsWith('openai-');
    if (isBetweenOpenAi) expect([out.status, told]).toEqual([status, body]);
    else if (to === 'anthropic-messages')
      expect([out.status, told]).toEqual([503, { type: 'error', error: { type: 'api_error', message: 'busy' } }]);
    else if (to === 'gemini') expect([out.status, told]).toEqual([503, { error: { code: 503, message: 'busy', status: 'UNAVAILABLE' } }]);
    else expect([out.status, told]).toEqual([503, { error: { message: 'busy', type: 'server_error', param: null, code: null } }]);
  });

  it('says when to come back where the client looks for it', () => {
    const detail = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '33.2s' };
    const google = Buffer.from(JSON.stringify({ error: { code: 429, message: 'slow', status: 'RESOURCE_EXHAUSTED', details: [detail] } }));
    expect(mapError('gemini', 'anthropic-messages', 429, google).retryAfter).toBe('34');
    expect(mapError('gemini', 'openai-chat', 429, google, '5').retryAfter).toBeUndefined();
    const told = mapError('openai-chat', 'gemini', 429, Buffer.from('{"error":{"message":"slow"}}'), '7');
    expect(JSON.parse(Buffer.from(told.body).toString())).toEqual({
      error: { code: 429, message: 'slow', status: 'RESOURCE_EXHAUSTED', details: [{ ...detail, retryDelay: '7s' }] },
    });
    expect(mapError('gemini', 'gemini', 429, google).body).toBe(google);
  });

  it.each([
    [
      'vLLM',
      "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 32768 tokens and your request has 12000 input tokens (64000 > 32768 - 12000).",
      '12000 + 64000 > 32768',
    ],
    [
      'OpenAI',
      "This model's maximum context length is 32768 tokens. However, you requested 76000 tokens (12000 in the messages, 64000 in the completion).",
      '12000 + 64000 > 32768',
    ],
    [
      'SGLang',
      "Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total of 76000 tokens: 12000 tokens from the input messages and 64000 tokens for the completion.",
      '12000 + 64000 > 32768',
    ],
    [
      'TGI',
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 2000 `inputs` tokens and 64000 `max_new_tokens`',
      '2000 + 64000 > 4096',
    ],
  ])('%s: asking for more than the model holds is told in the words by which Claude Code asks for less', (_name, message, sum) => {
    const { body } = mapError('openai-chat', 'anthropic-messages', 400, Buffer.from(JSON.stringify({ error: { message } })));
    expect(JSON.parse(Buffer.from(body).toString()).error.message).toContain(
      `input length and \`max_tokens\` exceed context limit: ${sum}`,
    );
  });

  it.each([
    [
      'llama.cpp',
      'request (35000 tokens) exceeds the available context size (32768 tokens), try increasing it',
      '35000 tokens > 32768 maximum',
    ],
    ['SGLang', "The input (35000 tokens) is longer than the model's context length (32768 tokens).", '35000 tokens > 32768 maximum'],
    ['others', 'the context length is exceeded', 'the context length is exceeded'],
  ])('%s: a prompt that is too long, in the words by which it compacts', (_name, message, told) => {
    const { body } = mapError('openai-chat', 'anthropic-messages', 400, Buffer.from(JSON.stringify({ error: { message } })));
    expect(JSON.parse(Buffer.from(body).toString()).error.message).toBe(`prompt is too long: ${told}`);
  });

  it('leaves the body of the same dialect alone', () => {
    const body = Buffer.from('{"anything": 1 }');
    expect(mapError('gemini', 'gemini', 500, body).body).toBe(body);
    const list = Buffer.from('[{ "error": { "code": 500, "odd": true } }]');
    expect(mapError('gemini', 'gemini', 500, list).body).toBe(list);
  });

  it.each([
    ['a page of a proxy', '<html>Bad gateway</html>', 'the upstream answered with status 502'],
    ['a page behind a mark and a space', '\ufeff\n <!DOCTYPE html><title>x</title>', 'the upstream answered with status 502'],
    ['a page in JSON', '{"error":"<html>Bad gateway</html>"}', 'the upstream answered with status 502'],
    ['plain text', 'upstream connect error: expected <string>', 'upstream connect error: expected <string>'],
    ['nothing', '', 'the upstream answered with status 502'],
    ['JSON that is no object', '"busy"', 'busy'],
    ['an object of another server', '{"detail":"Not Found"}', 'Not Found'],
    ['half an object', '{"error":{"message":"x', '{"error":{"message":"x'],
  ])("%s becomes an error of the caller's dialect, in every dialect", (_name, body, message) => {
    const told = (dialect: Dialect) => {
      const out = mapError(dialect, dialect, 502, Buffer.from(body));
      return [out.status, JSON.parse(Buffer.from(out.body).toString())];
    };
    const openai = { error: { message, type: 'server_error', param: null, code: null } };
    expect(told('openai-chat')).toEqual([502, openai]);
    expect(told('openai-responses')).toEqual([502, openai]);
    expect(told('anthropic-messages')).toEqual([502, { type: 'error', error: { type: 'api_error', message } }]);
    expect(told('gemini')).toEqual([502, { error: { code: 502, message, status: 'INTERNAL' } }]);
  });

  it('keeps the status within one dialect, whatever the words', () => {
    expect([413, 529].map((status) => mapError('openai-chat', 'openai-responses', status, Buffer.from('too many tokens')).status)).toEqual([
      413, 529,
    ]);
  });

  it('bounds what it repeats', () => {
    expect(mapError('openai-chat', 'openai-responses', 500, Buffer.alloc(10_000_000, 'x')).body.byteLength).toBeLessThan(5000);
    expect(mapError('openai-chat', 'gemini', 500, Buffer.alloc(10_000_000, 'x')).body.byteLength).toBeLessThan(5000);
  });
});
