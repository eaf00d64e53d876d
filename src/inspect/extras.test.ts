import { describe, expect, it } from 'vitest';
import { createInspector } from './inspector.ts';
import { secretsOfEnvFile } from './known-secrets.ts';
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
  ])('is found %s, by name and never by value', async (_name, text) => {
    const report = await inspector.inspect(body(text));
    expect(report.findings.map(({ detector, tier }) => [detector, tier])).toEqual([['known-secret', 'block']]);
    expect(report.findings[0]?.redacted).toMatch(/^known secret \.env:DB_PASS, 30 characters, #/);
    expect([report.labels, JSON.stringify(report).includes('horse')]).toEqual([['secret'], false]);
  });
});
