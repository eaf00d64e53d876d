// What differs from model to model of one vendor: how it is asked to think, and which settings it takes. A field that a model does not
// take is an error at the vendor's, not ignored.
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../core/index.ts';
import { translateRequest } from './index.ts';
import { callOf, json } from './test-rig.ts';

type Fields = Record<string, unknown>;

/** The call as that model gets it. */
function sent(from: Dialect, to: Dialect, body: Fields, model = 'target-model'): { body: Fields; lossy: readonly string[] } {
  const { body: bytes, lossy } = translateRequest(to, callOf(from), Buffer.from(JSON.stringify({ model: 'm', ...body })), model);
  return { body: json(bytes), lossy };
}

const hi = { messages: [{ role: 'user', content: 'hi' }] };
describe('towards Anthropic', () => {
  it('no text of blank space, and no failure without a word', () => {
    const { body } = sent('openai-chat', 'anthropic-messages', {
      messages: [
        { role: 'system', content: [{ type: 'text', text: '' }] },
        { role: 'user', content: 'go' },
        { role: 'assistant', content: '\n\n', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'a', content: '' },
      ],
    });
    expect(body['system']).toBeUndefined();
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'go' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] },
    ]);
    const failed = sent('gemini', 'anthropic-messages', {
      contents: [
        { role: 'model', parts: [{ functionCall: { id: 'a', name: 'f', args: {} } }] },
        { role: 'user', parts: [{ functionResponse: { id: 'a', name: 'f', response: { error: '' } } }] },
      ],
    }).body['messages'] as Fields[];
    expect(failed[1]?.['content']).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'Error' }], is_error: true },
    ]);
  });

  it.each([
    ['both', { temperature: 0.2, top_p: 0.95 }, { temperature: 0.2 }, ['top_p']],
    ['a temperature that says nothing', { temperature: 1, top_p: 0.95 }, { top_p: 0.95 }, []],
    ['a top_p that says nothing', { temperature: 0, top_p: 1 }, { temperature: 0 }, []],
    ['both beside thinking', { temperature: 1, top_p: 0.9, top_k: 5, reasoning_effort: 'high' }, {}, ['top_p', 'top_k']],
  ])('a temperature or a top_p: %s', (_name, asked, expected, lost) => {
    const { body, lossy } = sent('openai-chat', 'anthropic-messages', { ...hi, ...asked });
    const { temperature, top_p, top_k } = body;
    expect([JSON.parse(JSON.stringify({ temperature, top_p, top_k })), lossy]).toEqual([expected, lost]);
  });

  it.each([
    ['claude-3-7-sonnet-20250219', { thinking: { type: 'enabled', budget_tokens: 16_384 } }],
    ['claude-opus-4-20250514', { thinking: { type: 'enabled', budget_tokens: 16_384 } }],
    ['anthropic.claude-haiku-4-5-20251001-v1:0', { thinking: { type: 'enabled', budget_tokens: 16_384 } }],
    ['claude-sonnet-4.6', { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
    ['claude-opus-4-8', { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'xhigh' } }],
    ['anthropic/claude-4.7-opus', { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'xhigh' } }],
    ['claude-fable-5-2', { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'xhigh' } }],
    ['qwen3-coder', { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } }],
  ])('%s is asked to think in the way that it takes', (model, expected) => {
    const effort = model.includes('-3-') || model.includes('opus-4-2') || model.includes('haiku') ? 'high' : 'xhigh';
    const { thinking, output_config } = sent('openai-responses', 'anthropic-messages', { input: 'x', reasoning: { effort } }, model).body;
    expect({ thinking, ...(output_config !== undefined && { output_config }) }).toEqual(expected);
  });

  it.each([
    ['claude-sonnet-4-5', { thinking: { type: 'enabled', budget_tokens: 9000 } }],
    ['claude-sonnet-4-6', { thinking: { type: 'enabled', budget_tokens: 9000 } }],
    ['claude-opus-4-7', { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' } }],
    ['local', { thinking: { type: 'enabled', budget_tokens: 9000 } }],
  ])('a budget reaches %s in the way that it takes', (model, expected) => {
    const generationConfig = { thinkingConfig: { thinkingBudget: 9000 } };
    const { body } = sent(
      'gemini',
      'anthropic-messages',
      { contents: [{ role: 'user', parts: [{ text: 'x' }] }], generationConfig },
      model,
    );
    const { thinking, output_config } = body;
    expect({ thinking, ...(output_config !== undefined && { output_config }) }).toEqual(expected);
  });

  it('a model that takes no sampling gets none, and what was asked for is named', () => {
    const asked = { ...hi, temperature: 0.2, top_p: 1, top_k: 5 };
    const { body, lossy } = sent('openai-chat', 'anthropic-messages', asked, 'claude-opus-4-8');
    expect([body['temperature'], body['top_p'], body['top_k'], lossy]).toEqual([undefined, undefined, undefined, ['temperature', 'top_k']]);
    expect(sent('openai-chat', 'anthropic-messages', asked, 'claude-opus-4-1').body).toMatchObject({ temperature: 0.2, top_k: 5 });
  });

  it('a history whose thinking is not its own ends thinking only where it must, and that is named', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
    const messages = [...hi.messages, { role: 'assistant', tool_calls: [call] }, { role: 'tool', tool_call_id: 'a', content: 'x' }];
    const ask = (model: string) => {
      const { body, lossy } = sent('openai-chat', 'anthropic-messages', { messages, reasoning_effort: 'high' }, model);
      return [body['thinking'], lossy];
    };
    expect(ask('claude-sonnet-4-5')).toEqual([undefined, ['reasoning_effort']]);
    expect(ask('another')).toEqual([undefined, ['reasoning_effort']]);
    expect(ask('claude-sonnet-4-6')).toEqual([{ type: 'adaptive' }, []]);
    expect(ask('claude-opus-4-8')).toEqual([{ type: 'adaptive', display: 'summarized' }, []]);
  });
});

describe('effort', () => {
  const thinking = (budget_tokens: number) => ({ ...hi, max_tokens: 99_999, thinking: { type: 'enabled', budget_tokens } });
  it.each([
    [1024, 'low'],
    [8192, 'medium'],
    [30_000, 'high'],
  ])('a budget of %i is %s where there are only words', (budget, effort) => {
    expect(sent('anthropic-messages', 'openai-chat', thinking(budget), 'gpt-5.1').body['reasoning_effort']).toBe(effort);
    expect(sent('anthropic-messages', 'openai-responses', thinking(budget), 'o4-mini').body['reasoning']).toMatchObject({ effort });
    expect(sent('anthropic-messages', 'openai-chat', thinking(budget), 'llama').body).not.toHaveProperty('reasoning_effort');
  });

  it('without thinking is effort all the same', () => {
    const body = { ...hi, max_tokens: 9, output_config: { effort: 'low' } };
    expect(sent('anthropic-messages', 'openai-chat', body, 'gpt-5').body['reasoning_effort']).toBe('low');
  });

  it.each([
    ['gpt-5', 'minimal', 'minimal'],
    ['gpt-5-mini-2025-08-07', 'minimal', 'minimal'],
    ['gpt-5.1', 'minimal', 'low'],
    ['gpt-5-codex', 'minimal', 'low'],
    ['qwen3', 'minimal', 'low'],
    ['gpt-5', 'xhigh', 'high'],
    ['o3', 'max', 'high'],
    ['gpt-5.4', 'max', 'xhigh'],
    ['gpt-5.1-codex-max', 'xhigh', 'xhigh'],
    ['qwen3', 'max', 'high'],
  ])('is said in words that %s knows: %s is %s', (model, effort, word) => {
    const asked = { contents: [{ role: 'user', parts: [{ text: 'x' }] }], generationConfig: { thinkingConfig: { thinkingLevel: effort } } };
    expect(sent('gemini', 'openai-chat', asked, model).body['reasoning_effort']).toBe(word);
    expect(sent('gemini', 'openai-responses', asked, model).body['reasoning']).toMatchObject({ effort: word });
  });

  it('none is a budget of nothing to a model of Google that can do without', () => {
    const body = { ...hi, max_tokens: 9, thinking: { type: 'disabled' } };
    const config = (model: string) => sent('anthropic-messages', 'gemini', body, model).body['generationConfig'] as Fields;
    expect(config('gemini-2.5-flash')['thinkingConfig']).toEqual({ thinkingBudget: 0 });
    expect(config('gemini-2.5-pro')).not.toHaveProperty('thinkingConfig');
  });
});
