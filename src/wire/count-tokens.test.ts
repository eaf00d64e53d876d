import { expect, it } from 'vitest';
import { detectCall, estimateTokens } from './index.ts';

function estimate(target: string, body: object): unknown {
  const call = detectCall({ method: 'POST', target, rawHeaders: [] });
  if (call.kind !== 'count-tokens') throw new Error('not a count call');
  return JSON.parse(Buffer.from(estimateTokens(call, Buffer.from(JSON.stringify(body))).body).toString());
}

const text = 'a'.repeat(300);

it.each([
  [
    'Anthropic',
    '/v1/messages/count_tokens',
    { model: 'm', system: text, messages: [{ role: 'user', content: text }] },
    { input_tokens: 208 },
  ],
  ['Gemini', '/v1beta/models/m:countTokens', { contents: [{ parts: [{ text }] }] }, { totalTokens: 104 }],
  [
    'Gemini, whole request inside',
    '/v1beta/models/m:countTokens',
    { generateContentRequest: { model: 'models/m', contents: [{ parts: [{ text }] }] } },
    { totalTokens: 104 },
  ],
])('%s', (_name, target, body, answer) => {
  expect(estimate(target, body)).toEqual(answer);
});

it('a picture counts as a picture, not as its base64', () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(400_000) } };
  expect(estimate('/v1/messages/count_tokens', { model: 'm', messages: [{ role: 'user', content: [image] }] })).toEqual({
    input_tokens: 1600,
  });
});

it('tools and results count too', () => {
  const empty = { model: 'm', messages: [] };
  const tools = [{ name: 'f', description: text, input_schema: { type: 'object' } }];
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: text }] };
  expect(estimate('/v1/messages/count_tokens', empty)).toEqual({ input_tokens: 0 });
  expect(estimate('/v1/messages/count_tokens', { ...empty, tools })).toEqual({ input_tokens: 110 });
  expect(estimate('/v1/messages/count_tokens', { ...empty, messages: [result] })).toEqual({ input_tokens: 104 });
});
