import { beforeEach, describe, expect, it } from 'vitest';
import type { Perimeter, Target } from '../core/index.ts';
import { createPreference, type Preference } from './circuit.ts';

const target = (provider: string, perimeter: Perimeter = 'onprem'): Target => ({
  provider,
  model: 'm',
  dialect: 'openai-chat',
  perimeter,
  vetted: true,
});
const [near, other, far] = [target('near'), target('other'), target('far', 'public')];
let clock = 0;
let preference: Preference;
beforeEach(() => {
  clock = 0;
  preference = createPreference(() => clock);
});
const order = (conversation = 'c', targets: readonly Target[] = [near, other, far]): string[] =>
  preference.order(conversation, targets).map(({ provider }) => provider);
const fail = (which: Target, times = 3): void => {
  for (let i = 0; i < times; i++) preference.failed(which);
};

it('a conversation stays with the model that answered it, others are not moved', () => {
  preference.succeeded('c', other);
  expect([order('c'), order('d')]).toEqual([
    ['other', 'near', 'far'],
    ['near', 'other', 'far'],
  ]);
});

it('a conversation that was answered outside goes inside first again', () => {
  preference.succeeded('c', far);
  expect(order()).toEqual(['near', 'other', 'far']);
});

describe('a circuit', () => {
  it('opens at the third failure in a row, and never takes a target away', () => {
    fail(near, 2);
    expect(order()[0]).toBe('near');
    preference.succeeded('c', near);
    fail(near, 2);
    expect(order()[0]).toBe('near');
    fail(near, 1);
    expect(order()).toEqual(['other', 'far', 'near']);
    expect(order('c', [near])).toEqual(['near']);
  });

  it('lets one call try after its time, and closes when that one is answered', () => {
    fail(near);
    clock = 10_001;
    expect([order('a')[0], order('b')[0], order('d')[0]]).toEqual(['near', 'other', 'other']);
    preference.succeeded('a', near);
    expect(order('b')[0]).toBe('near');
  });

  it('opens again when the one that tried fails, and tries again when it never came back', () => {
    fail(near);
    clock = 10_001;
    expect(order('a')[0]).toBe('near');
    fail(near, 1);
    expect(order('b')[0]).toBe('other');
    clock += 10_001;
    expect([order('a')[0], order('b')[0]]).toEqual(['near', 'other']);
    clock += 10_001;
    expect(order('b')[0]).toBe('near');
  });
});

it('a provider that was found unreachable comes last until it is seen or answers', () => {
  preference.seen('near', false);
  expect(order()).toEqual(['other', 'far', 'near']);
  preference.seen('near', true);
  expect(order()[0]).toBe('near');
  preference.seen('near', false);
  preference.succeeded('c', near);
  expect(order()[0]).toBe('near');
});

it('a provider that answers connections and fails calls stays behind', () => {
  fail(near);
  preference.seen('near', true);
  expect(order()[0]).toBe('other');
});
