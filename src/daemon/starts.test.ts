// A program that starts others without end neither fills the ledger nor holds it up: it waits, and at last its session ends.
import { describe, expect, it } from 'vitest';
import { StartBudget } from './starts.ts';

describe('the budget of program starts', () => {
  it('lets a burst through, then so many a second, and ends at the total', () => {
    let now = 0;
    const budget = new StartBudget({ burst: 100, perSecond: 10, total: 200 }, () => now);
    expect(budget.take(64)).toBe(0);
    expect(budget.take(36)).toBe(0);
    expect(budget.take(5)).toBe(500);
    now = 500;
    expect(budget.take(5)).toBe(500);
    now = 60_000;
    expect(budget.take(50)).toBe(0);
    expect(budget.take(40)).toBe(0);
    expect([budget.take(1), budget.take(0)]).toEqual([undefined, undefined]);
  });
});
