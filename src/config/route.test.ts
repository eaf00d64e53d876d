import { describe, expect, it } from 'vitest';
import { parseGrantedHost } from './address.ts';
import type { Config, ProviderConfig } from './index.ts';
import { defaultConfig, isInside, targetsFor } from './index.ts';

const provider = (id: string, more: Partial<ProviderConfig>): ProviderConfig => ({
  id,
  dialect: 'openai-chat',
  url: 'http://127.0.0.1:1',
  perimeter: 'public',
  vetted: false,
  key: undefined,
  timeoutMs: 1,
  credential: 'provider',
  ...more,
});
const config: Config = {
  ...defaultConfig,
  providers: [
    provider('far', {}),
    provider('cloud', { perimeter: 'vpc', vetted: true }),
    provider('near', { perimeter: 'onprem', vetted: true, dialect: 'anthropic-messages' }),
    provider('near2', { perimeter: 'onprem' }),
  ],
  models: [
    { match: '*', targets: ['far/*', 'cloud/big', 'near/small', 'near2/*'] },
    { match: 'gpt-*', targets: ['cloud/*'] },
    { match: 'gpt-5', targets: ['near/five'] },
  ],
};
const names = (model: string) => targetsFor(config, model, 'openai-chat').map(({ provider, model }) => `${provider}/${model}`);

describe('targetsFor', () => {
  it('puts inside first and keeps the order of the file otherwise', () => {
    expect(names('any')).toEqual(['near/small', 'near2/any', 'cloud/big', 'far/any']);
  });

  it('prefers the exact name, then the longer pattern', () => {
    expect([names('gpt-5'), names('gpt-4')]).toEqual([['near/five'], ['cloud/gpt-4']]);
  });

  it('leaves out a hosted model behind an onprem server, whatever the spelling', () => {
    expect(names('gpt-oss:120b-Cloud').some((name) => name.startsWith('near2/'))).toBe(false);
    expect(targetsFor({ ...config, models: [{ match: '*', targets: ['near2/*'] }] }, 'qwen3:CLOUD', 'gemini')).toEqual([]);
  });

  it('knows nothing of a model that no pattern names', () => {
    expect(targetsFor({ ...config, models: [{ match: 'gpt-*', targets: ['far/*'] }] }, 'claude', 'openai-chat')).toEqual([]);
  });

  it.each([
    ['anthropic-messages', 'anthropic'],
    ['openai-chat', 'openai-chat'],
    ['openai-responses', 'openai'],
    ['gemini', 'gemini'],
  ] as const)('without configuration sends %s to its own vendor only', (dialect, id) => {
    expect(targetsFor(defaultConfig, 'm', dialect)).toEqual([{ provider: id, model: 'm', dialect, perimeter: 'public', vetted: false }]);
  });
});

describe('isInside', () => {
  it.each<[string, boolean]>([
    ['127.0.0.1', true],
    ['10.1.2.3', true],
    ['172.31.0.1', true],
    ['172.32.0.1', false],
    ['192.168.1.1', true],
    ['::1', true],
    ['fd00::1', true],
    ['::ffff:10.0.0.1', true],
    ['::ffff:8.8.8.8', false],
    ['8.8.8.8', false],
    ['169.254.169.254', false],
    ['0.0.0.0', false],
    ['100.64.0.1', true],
    ['2001:db8::5', true],
    ['2001:db9::5', false],
    ['localhost', false],
  ])('%s -> %s', (address, inside) => {
    expect(isInside(address, ['100.64.0.0/10', '2001:db8::/32'])).toBe(inside);
  });
});

it.each<[string, string | undefined]>([
  ['Git.Example', 'git.example'],
  ['::1', '::1'],
  ['*.Acme.example', '*.acme.example'],
  ['*.example', undefined],
  ['*.10.0.0.1', undefined],
  ['*', undefined],
  ['a.*.example', undefined],
  ['git.example:22', undefined],
  ['', undefined],
])('a grant for %s', (text, host) => {
  expect(parseGrantedHost(text)).toBe(host);
});
