import crypto from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Dialect, dialects, perimeters } from '../core/index.ts';
import { isModelHost, leavesThroughOllama, modelHost, serviceAt, services } from './index.ts';
import { signV4 } from './sigv4.ts';

describe('modelHost', () => {
  it.each<[string, string, Dialect | undefined]>([
    ['api.anthropic.com', '/v1/messages?beta=true', 'anthropic-messages'],
    ['api.anthropic.com', '/v1/messages/count_tokens', 'anthropic-messages'],
    ['api.anthropic.com.', '/v1/messages', 'anthropic-messages'],
    ['api.anthropic.com', '/api/event_logging/v2/batch', undefined],
    ['api.anthropic.com', '/v1/messages/batches', undefined],
    ['api.anthropic.com.evil.example', '/v1/messages', undefined],
    ['api.openai.com', '/v1/responses', 'openai-responses'],
    ['api.openai.com', '/v1/chat/completions', 'openai-chat'],
    ['eu.api.openai.com', '/v1/responses', 'openai-responses'],
    ['chatgpt.com', '/backend-api/codex/responses', 'openai-responses'],
    ['chatgpt.com', '/backend-api/plugins', undefined],
    ['generativelanguage.googleapis.com', '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse', 'gemini'],
    ['generativelanguage.googleapis.com', '/v1beta/models', undefined],
    ['europe-west4-aiplatform.googleapis.com', '/v1/projects/p/locations/l/publishers/google/models/m:generateContent', 'gemini'],
    ['dashscope.aliyuncs.com', '/compatible-mode/v1/chat/completions', 'openai-chat'],
    ['dashscope-intl.aliyuncs.com', '/apps/anthropic/v1/messages', 'anthropic-messages'],
    ['gb4w8c3ygj-default-sea.rum.aliyuncs.com', '/v1/chat/completions', undefined],
    ['api.deepseek.com', '/chat/completions', 'openai-chat'],
    ['openrouter.ai', '/api/v1/chat/completions', 'openai-chat'],
    ['bedrock-runtime.eu-central-1.amazonaws.com', '/anthropic/v1/messages', 'anthropic-messages'],
    ['contoso.openai.azure.com', '/openai/v1/responses', 'openai-responses'],
    ['example.com', '/v1/messages', undefined],
  ])('%s%s -> %s', (host, path, dialect) => {
    expect(modelHost(host, path)).toBe(dialect);
  });

  it('knows a host apart from its paths', () => {
    expect([isModelHost('api.openai.com'), isModelHost('github.com')]).toEqual([true, false]);
  });
});

describe('services', () => {
  const outgoing = { url: new URL('https://bedrock-runtime.eu-central-1.amazonaws.com/anthropic/v1/messages'), bytes: Buffer.from('{}') };
  const now = new Date('2026-01-02T03:04:05Z');

  it.each<[string, string, Dialect, string, readonly (readonly [string, string])[]]>([
    ['anthropic key', 'https://api.anthropic.com', 'anthropic-messages', 'k', [['x-api-key', 'k']]],
    ['anthropic login', 'https://api.anthropic.com', 'anthropic-messages', 'sk-ant-oat01-k', [['authorization', 'Bearer sk-ant-oat01-k']]],
    ['openai', 'https://api.openai.com/v1', 'openai-responses', 'k', [['authorization', 'Bearer k']]],
    ['gemini', 'https://generativelanguage.googleapis.com', 'gemini', 'k', [['x-goog-api-key', 'k']]],
    ['azure key', 'https://contoso.openai.azure.com/openai/v1', 'openai-chat', 'k', [['api-key', 'k']]],
    [
      'azure Entra token',
      'https://contoso.openai.azure.com/openai/v1',
      'openai-chat',
      'eyJh.eyJz.c2ln',
      [['authorization', 'Bearer eyJh.eyJz.c2ln']],
    ],
    ['azure Foundry key', 'https://contoso.services.ai.azure.com/openai/v1', 'openai-responses', 'k', [['api-key', 'k']]],
    ['deepseek Messages', 'https://api.deepseek.com/anthropic', 'anthropic-messages', 'k', [['x-api-key', 'k']]],
    ['dashscope', 'https://dashscope.aliyuncs.com/apps/anthropic', 'anthropic-messages', 'k', [['authorization', 'Bearer k']]],
    [
      'vertex access token',
      'https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google',
      'gemini',
      'ya29.t',
      [['authorization', 'Bearer ya29.t']],
    ],
    ['own server', 'http://vllm.internal:8000/v1', 'openai-chat', 'k', [['authorization', 'Bearer k']]],
    ['own Messages server', 'http://10.0.0.3:8000', 'anthropic-messages', 'k', [['x-api-key', 'k']]],
    [
      'bedrock key',
      'https://bedrock-runtime.eu-central-1.amazonaws.com/anthropic',
      'anthropic-messages',
      'ABSKk',
      [['authorization', 'Bearer ABSKk']],
    ],
  ])('%s is sent where the service takes it', (_name, url, dialect, key, headers) => {
    expect(serviceAt(new URL(url)).authorize(key, dialect, outgoing, now)).toEqual(headers);
  });

  it('have a perimeter, distinct ids and urls of known dialects', () => {
    expect(new Set(services.map(({ id }) => id)).size).toBe(services.length);
    for (const known of services) {
      expect(perimeters).toContain(known.perimeter);
      for (const [dialect, url] of Object.entries(known.urls)) {
        expect(dialects).toContain(dialect);
        expect(URL.canParse(url)).toBe(true);
      }
    }
  });

  it('sign for Bedrock with the region of the address', () => {
    const headers = serviceAt(outgoing.url).authorize('AKIDEXAMPLE00000:secret:token', 'anthropic-messages', outgoing, now);
    expect(headers.map(([name]) => name)).toEqual(['authorization', 'x-amz-date', 'x-amz-security-token']);
    expect(headers[0]?.[1]).toContain('Credential=AKIDEXAMPLE00000/20260102/eu-central-1/bedrock/aws4_request');
  });

  it('sign for Vertex with a key that never leaves, verifiable by its public half', () => {
    const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    const account = {
      client_email: 'gateway@acme.example',
      private_key_id: 'k1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
    const url = new URL('https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google');
    const [header] = serviceAt(url).authorize(JSON.stringify(account), 'gemini', { url, bytes: Buffer.of() }, now);
    const [head, claims, signature] = header?.[1].slice('Bearer '.length).split('.') ?? [];
    expect(crypto.verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature ?? '', 'base64url'))).toBe(true);
    expect(JSON.parse(Buffer.from(claims ?? '', 'base64url').toString())).toEqual({
      iss: 'gateway@acme.example',
      sub: 'gateway@acme.example',
      aud: 'https://europe-west4-aiplatform.googleapis.com/',
      iat: 1767323045,
      exp: 1767326645,
    });
  });
});

// From the published test suite of Signature Version 4: get-vanilla, get-vanilla-query-order-key-case, post-vanilla, post-vanilla-query.
it.each([
  ['GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['GET', '/?Param2=value2&Param1=value1', 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500'],
  ['POST', '/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  ['POST', '/?Param1=value1', '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11'],
])('SigV4 vector %s %s', (method, target, signature) => {
  const credential = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  const url = new URL(`https://example.amazonaws.com${target}`);
  const request = { method, url, body: Buffer.of(), region: 'us-east-1', service: 'service' };
  expect(signV4(credential, request, new Date('2015-08-30T12:36:00Z'))[0]?.[1]).toContain(`Signature=${signature}`);
});

it.each<[string, boolean]>([
  ['qwen3-coder:480b-cloud', true],
  ['gpt-oss:120b-CLOUD ', true],
  ['library/kimi-k2:cloud', true],
  ['registry.example:5000/kimi:1t-cloud', true],
  ['kimi:cloud@sha256:00', true],
  ['kimi:30b:cloud', true],
  ['kimi@x:cloud', true],
  ['qwen3-coder:30b', false],
  ['cloud', false],
  ['cloudy/qwen', false],
])('Ollama passes %s on: %s', (model, expected) => {
  expect(leavesThroughOllama(model)).toBe(expected);
});
