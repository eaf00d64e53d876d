import { describe, expect, it } from 'vitest';
import { createVault, type Destination, type Secret } from './vault.ts';

const real = 'sk-ant-api03-REAL';
const secret: Secret = {
  id: 'env:ANTHROPIC_API_KEY',
  value: real,
  hosts: ['api.anthropic.com'],
  pathPrefix: '/v1',
  prefix: 'sk-ant-api03-',
};
const own: Destination = { scheme: 'https', host: 'api.anthropic.com', target: '/v1/messages?beta=true' };

function issued(changes: Partial<Secret> = {}): { vault: ReturnType<typeof createVault>; placeholder: string } {
  const vault = createVault();
  const placeholder = vault.issue('s1', [{ ...secret, ...changes }])[secret.id] ?? '';
  return { vault, placeholder };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('a placeholder on its own way', () => {
  it.each<[string, (placeholder: string) => [string, string], [string, string]]>([
    ['x-api-key', (p) => ['x-api-key', p], ['x-api-key', real]],
    ['bearer', (p) => ['Authorization', `Bearer ${p}`], ['Authorization', `Bearer ${real}`]],
    ['cookie', (p) => ['cookie', `a=1; token=${p}; b=2`], ['cookie', `a=1; token=${real}; b=2`]],
    ['basic', (p) => ['authorization', basic(`git:${p}`)], ['authorization', basic(`git:${real}`)]],
    ['twice', (p) => ['x', `${p},${p}`], ['x', `${real},${real}`]],
  ])('%s becomes the real value', (_name, header, expected) => {
    const { vault, placeholder } = issued();
    expect(vault.restore(['accept', '*/*', ...header(placeholder)], own, 's1')).toEqual({
      rawHeaders: ['accept', '*/*', ...expected],
      target: own.target,
      used: [secret.id],
    });
  });

  it('in the query, encoded', () => {
    const { vault, placeholder } = issued({ value: 'a&b=c' });
    expect(vault.restore([], { ...own, target: `/v1/x?key=${placeholder}&q=1` }, 's1').target).toBe('/v1/x?key=a%26b%3Dc&q=1');
  });

  it('looks like what it stands for, says nothing of it, and is never the same twice', () => {
    const [a, b] = [issued().placeholder, issued().placeholder];
    expect([a.startsWith(secret.prefix), a.includes('REAL'), a === b]).toEqual([true, false, false]);
    expect(issued({ value: 'x' }).placeholder.length).toBe(issued({ value: 'x'.repeat(100) }).placeholder.length);
  });
});

describe('what inspection takes for a placeholder', () => {
  it('is one that was issued, whole or without its beginning, also of a session that is over', () => {
    const { vault, placeholder } = issued();
    vault.forget('s1');
    const withoutScheme = placeholder.slice('sk-'.length);
    expect([placeholder, withoutScheme].map((text) => vault.isPlaceholder(text))).toEqual([true, true]);
  });

  it.each<[string, (placeholder: string) => string]>([
    ['a real key', () => real],
    ['a secret with a placeholder behind it', (p) => `aB3dE5fG7hJ9kL1mN3pQ${p}`],
    ['a secret with the random part behind it', (p) => `aB3dE5fG7hJ9kL1mN3pQ${p.slice(secret.prefix.length)}`],
    ['a secret behind a placeholder', (p) => `${p}aB3dE5fG7hJ9kL1mN3pQ`],
    ['a secret behind our mark', () => `zNtr4m${'aB3dE5fG7hJ9kL1mN3pQ'.repeat(2)}`],
    ['nothing', () => ''],
  ])('is not %s', (_name, made) => {
    const { vault, placeholder } = issued();
    expect(vault.isPlaceholder(made(placeholder))).toBe(false);
  });
});

describe('a placeholder on any other way is a refusal', () => {
  it.each<[string, Partial<Destination>, string]>([
    ['another host', { host: 'evil.example' }, 's1'],
    ['a host that begins alike', { host: 'api.anthropic.com.evil.example' }, 's1'],
    ['a host below', { host: 'x.api.anthropic.com' }, 's1'],
    ['another path', { target: '/api/upload' }, 's1'],
    ['a path that begins alike', { target: '/v1evil' }, 's1'],
    ['a path that climbs', { target: '/v1/../api' }, 's1'],
    ['a path that climbs in escapes', { target: '/v1/%2e%2e/api' }, 's1'],
    ['in the clear', { scheme: 'http' }, 's1'],
    ['another session', {}, 's2'],
  ])('%s', (_name, change, session) => {
    const { vault, placeholder } = issued();
    const destination = { ...own, ...change };
    for (const headers of [
      ['x-api-key', placeholder],
      ['authorization', basic(`u:${placeholder}`)],
      [`x-${placeholder}`, '1'],
    ])
      expect(() => vault.restore(headers, destination, session)).toThrow(expect.objectContaining({ code: 'CREDENTIAL_MISUSED' }));
    expect(() => vault.restore([], { ...destination, target: `${destination.target}?k=${placeholder}` }, session)).toThrow('placeholder');
    expect(vault.covers(['x-api-key', placeholder], destination, session)).toBe(false);
  });

  it('after its session ended', () => {
    const { vault, placeholder } = issued();
    vault.forget('s1');
    expect(() => vault.restore(['x-api-key', placeholder], own, 's1')).toThrow('placeholder');
  });

  it('with its prefix cut off, or drawn out', () => {
    const { vault, placeholder } = issued();
    for (const forged of [placeholder.slice(3), `${placeholder}a`])
      expect(() => vault.restore(['x-api-key', forged], own, 's1')).toThrow('placeholder');
  });

  it('the key of the session itself', () => {
    const vault = createVault();
    const { session } = vault.issue('s1', []);
    expect(() => vault.restore(['x-api-key', session ?? ''], own, 's1')).toThrow('placeholder');
  });
});

describe("another's key, at a host for which the session has its own", () => {
  const attacker = 'sk-ant-api03-of-somebody-else';
  it.each<[string, (own: string) => readonly string[], string]>([
    ['alone', () => ['x-api-key', attacker], own.target],
    ['as a bearer', () => ['Authorization', `Bearer ${attacker}`], own.target],
    ['beside its own', (p) => ['Authorization', `Bearer ${p}`, 'X-Api-Key', attacker], own.target],
    ['in Basic', () => ['authorization', basic(`u:${attacker}`)], own.target],
    ['in the query', () => [], `/v1/messages?key=${attacker}`],
    ['in the query, beside its own', () => [], `/v1/messages?x=PLACEHOLDER&key=${attacker}`],
    ['in the query, spelt otherwise', () => [], `/v1/messages?%6Bey=${attacker}`],
  ])('%s is a refusal', (_name, headers, target) => {
    const { vault, placeholder } = issued();
    const asked = { ...own, target: target.replace('PLACEHOLDER', placeholder) };
    expect(() => vault.restore(headers(placeholder), asked, 's1')).toThrow(expect.objectContaining({ code: 'CREDENTIAL_MISUSED' }));
  });

  it('passes where the session has none: it is the program that brought it', () => {
    const { vault } = issued();
    const elsewhere = { ...own, host: 'api.other.example' };
    expect(vault.restore(['x-api-key', attacker], elsewhere, 's1').rawHeaders).toEqual(['x-api-key', attacker]);
    expect(vault.restore(['x-api-key', attacker], own, 's2').rawHeaders).toEqual(['x-api-key', attacker]);
  });
});

describe('a secret that is renewed', () => {
  const login = { flow: { id: 'l' }, kind: 'refresh' } as unknown as NonNullable<Secret['login']>;

  it('has a fresh placeholder; earlier ones stand for the new value, of very many the oldest for nothing', () => {
    const { vault, placeholder } = issued();
    const fresh = vault.renew('s1', { ...secret, value: 'NEW' });
    for (const each of [placeholder, fresh]) expect(vault.restore(['x-api-key', each], own, 's1').rawHeaders[1]).toBe('NEW');
    expect([fresh === placeholder, vault.holder(fresh, 's1')?.value, vault.holder(fresh, 's2')]).toEqual([false, 'NEW', undefined]);
    for (let i = 0; i < 16; i++) vault.renew('s1', { ...secret, value: 'NEWER' });
    expect(() => vault.restore(['x-api-key', placeholder], own, 's1')).toThrow('placeholder');
  });

  it('that renews others is put in nowhere, and has no way in a body', () => {
    const { vault, placeholder } = issued({ login });
    expect(() => vault.restore(['authorization', `Bearer ${placeholder}`], own, 's1')).toThrow('placeholder');
    expect(vault.isMisusedIn(Buffer.from(placeholder), 'api.anthropic.com', 's1')).toBe(true);
  });
});

describe('a placeholder in a body', () => {
  it.each<[string, string, string, boolean]>([
    ['to its own host', 'api.anthropic.com', 's1', false],
    ['to another host', 'evil.example', 's1', true],
    ['of another session', 'api.anthropic.com', 's2', true],
  ])('%s', (_name, host, session, expected) => {
    const { vault, placeholder } = issued();
    expect(vault.isMisusedIn(Buffer.from(`{"key":"${placeholder}"}`), host, session)).toBe(expected);
    expect(vault.isMisusedIn(Buffer.from(`{"key":"zNtr4m${'a'.repeat(40)}"}`), host, session)).toBe(false);
  });
});

it('plain HTTP is for names that stay inside', () => {
  for (const [host, isOwn] of [
    ['litellm', true],
    ['litellm.internal', true],
    ['127.0.0.1', true],
    ['10.0.0.4', true],
    ['gateway.example.com', false],
    ['8.8.8.8', false],
  ] as const) {
    const { vault, placeholder } = issued({ hosts: [host] });
    expect([host, vault.covers(['x-api-key', placeholder], { ...own, scheme: 'http', host }, 's1')]).toEqual([host, isOwn]);
  }
});

it('a credential with a line break is refused, because it would write headers of its own', () => {
  expect(() => createVault().issue('s1', [{ ...secret, value: 'a\r\nx: y' }])).toThrow('line break');
});
