import { describe, expect, it } from 'vitest';
import { detectCall } from './index.ts';

const sse = { streamForm: 'sse' } as const;
const unknown = { kind: 'unknown' } as const;

function at(place: 'gateway' | 'vendor', line: string, headers: readonly string[] = []) {
  const [method = '', target = ''] = line.split(' ');
  return detectCall({ method, target, rawHeaders: headers }, place);
}

describe('detectCall', () => {
  it.each([
    ['POST /v1/messages', { kind: 'invoke', dialect: 'anthropic-messages', path: '/v1/messages', ...sse }],
    ['POST /v1/messages?beta=true', { kind: 'invoke', dialect: 'anthropic-messages', path: '/v1/messages', ...sse }],
    [
      'POST /v1/messages/count_tokens?beta=true',
      { kind: 'count-tokens', dialect: 'anthropic-messages', path: '/v1/messages/count_tokens' },
    ],
    ['HEAD /', { kind: 'probe', dialect: 'anthropic-messages', path: '/' }],
    ['POST /v1/chat/completions', { kind: 'invoke', dialect: 'openai-chat', path: '/v1/chat/completions', ...sse }],
    ['POST /v1/responses', { kind: 'invoke', dialect: 'openai-responses', path: '/v1/responses', ...sse }],
    ['GET /v1/models?client_version=1', { kind: 'models', dialect: 'openai-chat', path: '/v1/models' }],
    ['GET /v1beta/models?key=x', { kind: 'models', dialect: 'gemini', path: '/v1beta/models' }],
    [
      'POST /v1beta/models/gemini-3:streamGenerateContent?alt=sse&key=x',
      {
        kind: 'invoke',
        dialect: 'gemini',
        path: '/v1beta/models/gemini-3:streamGenerateContent',
        modelInPath: 'gemini-3',
        streamInPath: true,
        ...sse,
      },
    ],
    [
      'POST /v1beta/models/qwen3:8b:generateContent',
      {
        kind: 'invoke',
        dialect: 'gemini',
        path: '/v1beta/models/qwen3:8b:generateContent',
        modelInPath: 'qwen3:8b',
        streamInPath: false,
        streamForm: 'json-array',
      },
    ],
    [
      'POST /v1beta/models/a%2Fb:countTokens',
      { kind: 'count-tokens', dialect: 'gemini', path: '/v1beta/models/a%2Fb:countTokens', modelInPath: 'a/b' },
    ],
  ])('%s', (line, call) => {
    expect(at('gateway', line)).toEqual(call);
  });

  it('tells the model lists of Anthropic and OpenAI apart by the version header', () => {
    expect(at('gateway', 'GET /v1/models', ['Anthropic-Version', '2023-06-01'])).toMatchObject({ dialect: 'anthropic-messages' });
  });

  it('knows a WebSocket upgrade of /v1/responses, over either version of HTTP', () => {
    const call = { kind: 'websocket', dialect: 'openai-responses', path: '/v1/responses' };
    expect(at('gateway', 'GET /v1/responses', ['Upgrade', 'websocket', 'Connection', 'Upgrade'])).toEqual(call);
    expect(at('gateway', 'GET /v1/responses', ['sec-websocket-key', 'x'])).toEqual(call);
    expect(at('gateway', 'GET /v1/responses')).toEqual(unknown);
  });

  it.each([
    ['another path', 'POST /v1/embeddings'],
    ['another method', 'PUT /v1/messages'],
    ['lower-case method', 'post /v1/messages'],
    ['a slash more', 'POST /v1/messages/'],
    ['two slashes', 'POST //v1/messages'],
    ['other case', 'POST /V1/messages'],
    ['an escaped letter', 'POST /v1/m%65ssages'],
    ['absolute form', 'POST http://outside.example/v1/messages'],
    ['a climbing path', 'POST /v1/x/../messages'],
    ['a climbing model', 'POST /v1beta/models/..%2Fx:generateContent'],
    ['an empty model', 'POST /v1beta/models/:generateContent'],
    ['half an escape', 'POST /v1beta/models/%E0%A4:generateContent'],
    ['two framings asked for', 'POST /v1beta/models/m:streamGenerateContent?alt=sse&alt=json'],
    ['a framing that is not JSON', 'POST /v1beta/models/m:generateContent?alt=proto'],
    ['a method of the vendor that is no model call', 'POST /v1beta/models/m:batchEmbedContents'],
    ['a vendor path at our own address', 'POST /backend-api/codex/responses'],
  ])('%s is unknown', (_name, line) => {
    expect(at('gateway', line)).toEqual(unknown);
  });

  it.each([
    ['POST /backend-api/codex/responses', 'invoke', 'openai-responses'],
    ['GET /backend-api/codex/models', 'models', 'openai-chat'],
    ['POST /compatible-mode/v1/chat/completions', 'invoke', 'openai-chat'],
    ['POST /api/anthropic/v1/messages', 'invoke', 'anthropic-messages'],
    ['POST /v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent', 'invoke', 'gemini'],
    ['POST /backend-api/codex/analytics-events/events', 'unknown', undefined],
    ['POST /api/../v1/messages', 'unknown', undefined],
  ])('at a vendor: %s is %s', (line, kind, dialect) => {
    expect(at('vendor', line)).toMatchObject(dialect === undefined ? { kind } : { kind, dialect });
  });
});
