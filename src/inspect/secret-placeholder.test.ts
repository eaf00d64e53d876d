import { describe, expect, it } from 'vitest';
import { createSecretPlaceholders, openPlaceholderAt, secretPlaceholderPattern } from './secret-placeholder.ts';

describe('the placeholder of a secret', () => {
  const placeholders = createSecretPlaceholders(Buffer.alloc(32, 1));

  it('is the same for the same session and secret, and another for any other', () => {
    const first = placeholders.of('s1', 'secret');
    expect([placeholders.of('s1', 'secret'), createSecretPlaceholders(Buffer.alloc(32, 1)).of('s1', 'secret')]).toEqual([first, first]);
    const others = [placeholders.of('s2', 'secret'), placeholders.of('s1', 'secret2'), createSecretPlaceholders().of('s1', 'secret')];
    expect(new Set([first, ...others, placeholders.of('s1s', 'ecret')]).size).toBe(5);
    expect(first).toMatch(new RegExp(`^${secretPlaceholderPattern.source}$`));
  });

  it('is recognised whole, in any session; what only has its form is not', () => {
    const own = placeholders.of('s1', 'secret');
    expect([placeholders.isOurs(own), createSecretPlaceholders().isOurs(own)]).toEqual([true, false]);
    const forged = [own.slice(0, -1), `${own}a`, `x${own.slice(1)}`, `${own.slice(0, 16)}${'abcdefghijklmnop'}${own.slice(-10)}`];
    expect(forged.map(placeholders.isOurs)).toEqual([false, false, false, false]);
  });

  it('has an open end while it may still become one', () => {
    const own = placeholders.of('s1', 'secret');
    for (let length = 1; length < own.length; length++) expect(openPlaceholderAt(`text ${own.slice(0, length)}`)).toBe(length);
    for (const text of ['', 'text', own, `${own}.`, 'intramur_secret_A', 'intramur_secre_'])
      expect([text, openPlaceholderAt(text)]).toEqual([text, 0]);
  });
});
