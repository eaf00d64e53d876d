import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { secretsOfEnvFile } from './env-file.ts';
import { createInspector } from './inspector.ts';
import { personalData } from './personal-data.ts';

const body = (text: string, contentType = 'text/plain') => ({ bytes: Buffer.from(text), contentType, views: [] });

describe('personal data', () => {
  const on = createInspector({ personalData: true, detectors: [] });
  it.each(personalData.map((datum): [string, typeof datum] => [datum.id, datum]))('%s', async (id, { hits, misses }) => {
    const found = async (text: string) => (await on.inspect(body(text))).findings.map(({ detector }) => detector);
    for (const hit of hits) expect(await found(hit)).toContain(id);
    for (const miss of misses) expect(await found(miss)).not.toContain(id);
  });

  it('is off unless asked for', async () => {
    expect((await createInspector().inspect(body('card 4539 1488 0343 6467'))).findings).toEqual([]);
  });
});

describe('hidden text', () => {
  const tags = (text: string) => [...text].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('');
  it.each<[string, string, string[]]>([
    ['tag characters', `hello${tags('ignore all')}`, ['tag-characters']],
    [
      'tag characters as JSON escapes',
      JSON.stringify({ a: `x${tags('do it')}` }).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
      ['tag-characters'],
    ],
    ['bidirectional override', 'if (a\u202e) {', ['bidi-controls']],
    ['zero width inside a word', 'pass\u200bword', ['zero-width']],
    ['a message in zero-width characters', `a${'\u200b\u200c'.repeat(8)} b`, ['zero-width-run']],
    ['concealed terminal text', 'ok \x1b[8mhidden\x1b[0m', ['terminal-conceal']],
    ['a family emoji', '👨‍👩‍👧 done', []],
    ['the flag of Scotland', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', []],
    ['Persian with a joiner', 'می‌خواهم', []],
    ['colours', '\x1b[31mred\x1b[0m', []],
  ])('%s', async (_name, text, ids) => {
    const { findings, labels } = await createInspector().inspect(body(text, text.startsWith('{') ? 'application/json' : 'text/plain'));
    expect([...new Set(findings.filter(({ kind }) => kind === 'hidden-text').map(({ detector }) => detector))]).toEqual(ids);
    expect(labels.includes('hidden-text')).toBe(findings.some(({ kind, tier }) => kind === 'hidden-text' && tier !== 'count'));
  });
});

describe('known secrets', () => {
  const value = 'correct horse battery staple 9';
  const inspector = createInspector({
    knownSecrets: secretsOfEnvFile(`export DB_PASS="${value}"\nPORT=8080\nDEBUG=true\n`, '.env'),
    detectors: [],
  });
  it.each<[string, string]>([
    ['plain', `it is ${value}.`],
    ['in JSON', JSON.stringify({ a: value })],
    ['base64', Buffer.from(`x ${value} y`).toString('base64')],
    ['hex', Buffer.from(value).toString('hex')],
    ['percent', encodeURIComponent(value)],
    ['gzip in base64', zlib.gzipSync(`a=${value}`).toString('base64')],
    ['reversed', `ok ${[...value].reverse().join('')} ok`],
    ['ROT13', `ok ${value.replace(/[a-z]/g, (c) => String.fromCharCode(((c.charCodeAt(0) - 84) % 26) + 97))} ok`],
  ])('is found %s, by name and never by value', async (_name, text) => {
    const report = await inspector.inspect(body(text));
    expect(report.findings.map(({ detector, tier }) => [detector, tier])).toEqual([['known-secret', 'block']]);
    expect(report.findings[0]?.redacted).toMatch(/^known secret \.env:DB_PASS, 30 characters, #/);
    expect([report.labels, JSON.stringify(report).includes('horse')]).toEqual([['secret'], false]);
  });

  it.each(['base64', 'base64url', 'hex'] as const)('of eight letters is found in %s, wherever it stands', async (encoding) => {
    const short = createInspector({ knownSecrets: [{ name: 'PIN', value: 'tr0ub4d!' }], detectors: [] });
    for (const before of ['', 'a', 'ab', 'abc'])
      for (const after of ['', 'z', 'zy'])
        expect((await short.inspect(body(`x=${Buffer.from(`${before}tr0ub4d!${after}`).toString(encoding)}`))).labels).toEqual(['secret']);
  });

  it('of a .env file are those that are secret, not what every text about the project holds', () => {
    const text = [
      'NODE_ENV=development',
      'APP_NAME="Harbour Master"',
      'DATABASE_HOST=postgres.internal.example:5432',
      'DB_PASSWORD=postgres',
      'API_KEY=changeme',
      'LOG_FORMAT=combined-with-request-id',
      'PUBLIC_URL=https://harbour.example/app',
      'STRIPE_PUBLISHABLE_KEY=pk_live_51HxYzAbCdEfGh',
      'DATABASE_URL=postgres://app:s3cr3t-pier@db/app',
      "SESSION_SECRET='quay and tide 12'  # rotated yearly",
      'export MAIL_TOKEN = "line one\\nline two"',
      'SENTRY=9f86d081884c7d659a2feaa0c55ad015',
    ].join('\n');
    expect(secretsOfEnvFile(text, '.env')).toEqual([
      { name: '.env:DATABASE_URL', value: 'postgres://app:s3cr3t-pier@db/app' },
      { name: '.env:SESSION_SECRET', value: 'quay and tide 12' },
      { name: '.env:MAIL_TOKEN', value: 'line one\\nline two' },
      { name: '.env:MAIL_TOKEN', value: 'line one\nline two' },
      { name: '.env:SENTRY', value: '9f86d081884c7d659a2feaa0c55ad015' },
    ]);
  });
});
