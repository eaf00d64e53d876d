import { describe, expect, it } from 'vitest';
import { defaultConfig, vettingOf } from './index.ts';
import { satisfies } from './satisfies.ts';

describe('satisfies', () => {
  it.each<[string, string, boolean | 'unknown']>([
    ['2.1.198', '>=2.1.198', true],
    ['2.1.197', '>=2.1.198', false],
    ['2.1.200 (Claude Code)', '>=2.1.198 <3', true],
    ['v3.0.0', '>=2.1.198 <3', false],
    ['2.10.0', '>2.9', true],
    ['2.1', '2.1.0', true],
    ['2.1.1', '= 2.1.0', false],
    ['2.1.0+build', '<=2.1.0', true],
    ['2.1.0-beta.2', '>=2.1.0', false],
    ['2.1.0-beta.10', '>2.1.0-beta.2', true],
    ['2.1.0-beta', '<2.1.0-beta.1', true],
    ['2.1.0-1', '<2.1.0-alpha', true],
    ['latest', '>=0', 'unknown'],
    ['', '>=0', 'unknown'],
    ['2.1.0', '', false],
  ])('%s in %s -> %s', (version, range, isIn) => {
    expect(satisfies(version, range)).toBe(isIn);
  });
});

describe('vettingOf', () => {
  const config = {
    ...defaultConfig,
    tools: {
      plain: { status: 'vetted' },
      pinned: { status: 'vetted', versions: '>=2', sha256: 'ab'.repeat(32) },
      banned: { status: 'banned' },
      old: { status: 'banned', versions: '<2' },
      seen: { status: 'unvetted' },
    },
  } as const;
  it.each([
    [{ id: 'plain' }, 'vetted'],
    [{ id: 'pinned', version: '2.1.0', sha256: 'AB'.repeat(32) }, 'vetted'],
    [{ id: 'pinned', version: '1.9.0', sha256: 'ab'.repeat(32) }, 'unvetted'],
    [{ id: 'pinned', version: '2.1.0' }, 'unvetted'],
    [{ id: 'pinned', sha256: 'ab'.repeat(32) }, 'unvetted'],
    [{ id: 'banned' }, 'banned'],
    [{ id: 'old', version: '1.0.0' }, 'banned'],
    [{ id: 'old', version: '2.0.0' }, 'unvetted'],
    [{ id: 'old' }, 'banned'],
    [{ id: 'old', version: 'nonsense' }, 'banned'],
    [{ id: 'seen' }, 'unvetted'],
    [{ id: 'unheard-of' }, 'unvetted'],
    [{ id: 'constructor' }, 'unvetted'],
    [{ id: '__proto__' }, 'unvetted'],
  ] as const)('%j -> %s', (tool, vetting) => {
    expect(vettingOf(config, tool)).toBe(vetting);
  });
});
