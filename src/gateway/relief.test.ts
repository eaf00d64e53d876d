import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRelief } from './relief.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function rig() {
  const admission = { calls: 0, begun: 0 };
  let collected = 0;
  const relief = createRelief(admission, () => collected++);
  /** A second in which so many calls begin and so many are under way at its end. */
  const second = (begun: number, calls: number): number => {
    admission.begun += begun;
    admission.calls = calls;
    vi.advanceTimersByTime(1000);
    return collected;
  };
  return { second, relief };
}

it('collects once when a burst is over and its calls go on', () => {
  const { second } = rig();
  expect([second(500, 500), second(0, 500), second(0, 500), second(0, 500)]).toEqual([0, 1, 1, 1]);
  expect([second(200, 700), second(50, 750), second(2, 750)]).toEqual([1, 1, 2]);
});

it('leaves alone what is steady, small or over', () => {
  const { second } = rig();
  expect([second(3000, 64), second(3000, 64), second(0, 0), second(0, 0)]).toEqual([0, 0, 0, 0]);
  expect([second(90, 90), second(0, 90)]).toEqual([0, 0]);
  expect([second(30, 200), second(30, 200), second(0, 200)]).toEqual([0, 0, 0]);
});

it('is no fault of the gateway when it fails', () => {
  const admission = { calls: 500, begun: 0 };
  createRelief(admission, () => {
    throw new Error('no collector here');
  });
  admission.begun = 500;
  vi.advanceTimersByTime(1000);
  expect(() => vi.advanceTimersByTime(1000)).not.toThrow();
});

it('ends', () => {
  const { second, relief } = rig();
  second(500, 500);
  relief.close();
  expect(second(0, 500)).toBe(0);
});
