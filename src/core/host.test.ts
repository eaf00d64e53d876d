import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHost } from './host.ts';

describe('canonicalHost', () => {
  it.each<[string, string | undefined]>([
    ['API.Anthropic.COM', 'api.anthropic.com'],
    ['api.anthropic.com.', 'api.anthropic.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['2852039166', '169.254.169.254'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::ffff:169.254.169.254', '169.254.169.254'],
    ['[::FFFF:a9fe:a9fe]', '169.254.169.254'],
    ['my_service', 'my_service'],
    ['', undefined],
    ['.', undefined],
    ['a..b', undefined],
    ['host:80', undefined],
    ['user@host', undefined],
    ['host/path', undefined],
    ['host?x', undefined],
    ['ho st', undefined],
    ['ho%73t', undefined],
    ['*.example.com', undefined],
    ['256.256.256.256', undefined],
    ['fe80::1%eth0', undefined],
    ['a'.repeat(64), undefined],
  ])('%s -> %s', (text, host) => {
    expect(canonicalHost(text)).toBe(host);
  });
});

it('is one spelling: of it, it is itself, and a URL goes to it', () => {
  const piece = fc.constantFrom(
    'a',
    'B',
    '0x7f',
    '127',
    '.',
    ':',
    '::',
    'ffff',
    '1',
    '[',
    ']',
    'é',
    '－',
    '。',
    '_',
    '-',
    '@',
    '%41',
    '\u00ad',
    '\u0000',
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      (text) => {
        const host = canonicalHost(text);
        if (host === undefined) return;
        expect(canonicalHost(host)).toBe(host);
        expect(canonicalHost(new URL(`http://${host.includes(':') ? `[${host}]` : host}/`).hostname)).toBe(host);
      },
    ),
    { numRuns: 5000 },
  );
});
