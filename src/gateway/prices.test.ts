import { expect, it } from 'vitest';
import type { Perimeter } from '../core/index.ts';
import { costOf } from './prices.ts';

const million = { input: 1_000_000, output: 1_000_000, cached: 0 };

it.each<[string, Perimeter, number]>([
  ['claude-sonnet-4-5', 'public', 18],
  ['claude-opus-4-8', 'public', 30],
  ['claude-opus-4-1-20250805', 'public', 90],
  ['anthropic.claude-3-5-haiku-20241022-v1:0', 'vpc', 4.8],
  ['gpt-5-mini', 'public', 2.25],
  ['qwen3-coder-plus', 'public', 18],
  ['qwen3-coder-plus', 'onprem', 0],
])('a million tokens each way of %s at a %s target cost %s', (model, perimeter, usd) => {
  expect(costOf({ model, perimeter }, million)).toBeCloseTo(usd, 6);
});

it('a model that nobody has priced costs as much as the dearest', () => {
  const unknown = costOf({ model: 'model-of-next-year', perimeter: 'public' }, million);
  for (const model of ['gpt-5.5-pro', 'claude-3-opus', 'gemini-3-pro'])
    expect(unknown).toBeGreaterThanOrEqual(costOf({ model, perimeter: 'public' }, million));
});

it('tokens from a cache cost less, and never less than nothing', () => {
  const cost = (cached: number): number => costOf({ model: 'claude-sonnet-4-5', perimeter: 'public' }, { input: 1000, output: 0, cached });
  expect([cost(0), cost(1000), cost(5000)]).toEqual([0.003, expect.closeTo(0.0003, 9), expect.closeTo(0.0003, 9)]);
});
