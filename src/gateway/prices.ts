// What a call costs, for budgets in money. List prices in USD per million tokens as the vendors published them; they are an
// estimate for a limit, not a bill. INVARIANT: a model that is not listed costs what the dearest listed one does, so a budget is
// never overdrawn for want of a row. Models inside cost nothing.
import type { Target } from '../core/index.ts';
import type { Tokens } from './budget.ts';

interface Price {
  readonly model: RegExp;
  readonly input: number;
  readonly output: number;
  /** Of tokens read from a cache. */
  readonly cached: number;
}

const price = (model: RegExp, input: number, output: number, cached = input / 10): Price => ({ model, input, output, cached });

/** The first match counts. */
const prices: readonly Price[] = [
  price(/claude-(?:3-)?opus-4(?:-[01]\b|-20|@|$)|claude-3-opus/, 15, 75),
  price(/claude-opus/, 5, 25),
  price(/claude.*sonnet/, 3, 15),
  price(/claude-haiku|claude.*haiku-4/, 1, 5),
  price(/claude-3-5-haiku/, 0.8, 4),
  price(/gpt-5[\w.]*-nano/, 0.05, 0.4),
  price(/gpt-5[\w.]*-mini|codex-mini/, 0.25, 2),
  price(/gpt-5[\w.]*-pro/, 15, 120, 15),
  price(/gpt-5/, 1.75, 14),
  price(/gpt-4\.1-mini/, 0.4, 1.6, 0.1),
  price(/gpt-4\.1/, 2, 8, 0.5),
  price(/gpt-4o-mini/, 0.15, 0.6, 0.075),
  price(/gpt-4o/, 2.5, 10, 1.25),
  price(/gemini.*flash-lite/, 0.1, 0.4),
  price(/gemini.*flash/, 0.5, 3),
  price(/gemini.*pro/, 4, 18),
  price(/deepseek/, 0.6, 1.7),
  price(/qwen.*(?:coder|max)/, 3, 15),
  price(/qwen/, 1.2, 6),
  price(/kimi|glm|minimax/, 1.2, 4.5),
];

const dearest: Price = price(/^/, Math.max(...prices.map(({ input }) => input)), Math.max(...prices.map(({ output }) => output)));

export function costOf({ perimeter, model }: Pick<Target, 'perimeter' | 'model'>, tokens: Tokens): number {
  if (perimeter === 'onprem') return 0;
  const name = model.toLowerCase();
  const row = prices.find((one) => one.model.test(name)) ?? dearest;
  const cached = Math.min(tokens.cached, tokens.input);
  return ((tokens.input - cached) * row.input + cached * row.cached + tokens.output * row.output) / 1_000_000;
}
