import { describe, expect, it } from 'vitest';
import type { Body } from '../core/index.ts';
import { detector } from './detector.ts';
import { githubToken } from './detectors/github-checksum.ts';
import { createInspector } from './inspector.ts';

const token = githubToken('ghp_', 7);
const body = (text: string | Uint8Array, contentType = '', views: readonly string[] = []): Body => ({
  bytes: Buffer.from(text),
  contentType,
  views,
});
const inspector = createInspector({ fingerprintKey: Buffer.alloc(32) });

describe('inspect', () => {
  it('says what, where and how it was read, and never the value', async () => {
    const report = await inspector.inspect(body(`é key ${token}`));
    expect(report).toEqual({
      bytes: 47,
      classification: 'public',
      labels: ['secret'],
      findings: [
        {
          kind: 'secret',
          tier: 'block',
          detector: 'github-pat',
          view: [],
          start: 7,
          end: 47,
          redacted: expect.stringMatching(/^github-pat, 40 characters, #[0-9a-f]{8}$/),
        },
      ],
      ms: expect.any(Number),
    });
    expect(JSON.stringify(report)).not.toContain(token.slice(5, 15));
  });

  it.each<[string, string, readonly string[]]>([
    ['in a value', JSON.stringify({ messages: [{ content: `is ${token} right?` }] }), []],
    ['as a key', JSON.stringify({ [token]: 1 }), []],
    ['behind an escaped line break', JSON.stringify({ content: `a\n${token}` }), []],
    ['JSON in JSON in JSON', JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ c: `x\n${token}` }) }) }), []],
    ['with one character escaped', `{"a":"gh\\u0070_${token.slice(4)}"}`, ['json']],
    ['escaped twice', JSON.stringify({ a: `{"b":"gh\\u0070_${token.slice(4)}"}` }), ['json', 'escapes']],
    ['in broken JSON', `{"a": ["${token}", `, []],
    ['in text with escapes', `print("\\x67hp_${token.slice(4)}")`, ['escapes']],
  ])('finds a token %s, at its bytes in the input', async (_name, text, view) => {
    const { findings } = await inspector.inspect(body(text));
    expect(findings.map((finding) => [finding.detector, finding.view])).toEqual([['github-pat', view]]);
    const [found] = findings;
    expect(text.slice(found?.start, found?.end)).toContain(token.slice(4));
  });

  it('looks at what stands outside the body', async () => {
    const { findings } = await inspector.inspect(body('hello', 'text/plain', [`/v1/x?token=${token}`]));
    expect(findings.map(({ detector: id, start, end }) => [id, start, end])).toEqual([['github-pat', 5, 5]]);
  });

  it('leaves our own placeholders alone', async () => {
    const own = createInspector({ isPlaceholder: (value) => value === token });
    expect((await own.inspect(body(token))).findings).toEqual([]);
  });
});

describe('what cannot be looked at is refused, never called clean', () => {
  const throwing = detector({
    id: 'broken',
    label: 'secret',
    keywords: ['x'],
    pattern: /x/,
    verify: () => {
      throw new Error('payload text that must not be passed on');
    },
    hits: ['x'],
    misses: [''],
  });

  it.each<[string, Buffer, string, boolean]>([
    ['JSON that is no UTF-8', Buffer.from('{"a":"\xff\xfe x"}', 'latin1'), 'application/json', true],
    ['text that is no UTF-8', Buffer.from('some text with \xe9 in it', 'latin1'), 'text/plain', true],
    ['text in UTF-16', Buffer.from('some text with é in it', 'utf16le'), 'text/plain', false],
    [
      'an opaque attachment',
      Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 7919 + (i >> 3) * 104729) & 0xff)),
      'application/octet-stream',
      false,
    ],
  ])('%s', async (_name, bytes, contentType, isRefused) => {
    const report = await createInspector().inspect({ bytes, contentType, views: [] });
    expect(report.refused?.code).toBe(isRefused ? 'INSPECT_FAILED' : undefined);
  });

  it.each<[string, Parameters<typeof createInspector>[0], string, string]>([
    ['a detector that throws', { detectors: [throwing] }, 'x', 'INSPECT_FAILED'],
    ['a payload too large', { limits: { maxBytes: 10 } }, 'x'.repeat(11), 'INSPECT_LIMIT'],
    ['too many findings', { limits: { maxFindings: 2 } }, `${token}\n`.repeat(5), 'INSPECT_LIMIT'],
    ['escapes nested too deep', {}, `${'\\'.repeat(2 ** 12)}n`, 'INSPECT_LIMIT'],
    ['too much time', { limits: { maxMs: -1 } }, 'x', 'INSPECT_LIMIT'],
  ])('%s', async (_name, options, text, code) => {
    const report = await createInspector(options).inspect(body(text));
    expect(report.refused?.code).toBe(code);
    expect(report.refused?.reason).not.toContain('payload text');
  });
});
