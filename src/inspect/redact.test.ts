import { describe, expect, it } from 'vitest';
import type { InspectFinding } from '../core/index.ts';
import { githubToken } from './detectors/github-checksum.ts';
import { createInspector } from './inspector.ts';
import { redact } from './redact.ts';

const finding = (start: number, end: number): InspectFinding => ({
  kind: 'secret',
  tier: 'block',
  detector: 'd',
  view: [],
  start,
  end,
  redacted: '',
});

describe('redact', () => {
  it('replaces what was found and gives it back in the answer', async () => {
    const token = githubToken('ghp_', 3);
    const input = Buffer.from(JSON.stringify({ a: `x\n${token}`, b: Buffer.from(`id ${token} end`).toString('base64') }));
    const { findings } = await createInspector().inspect({ bytes: input, contentType: 'application/json', views: [] });
    const { bytes, replaced } = redact(input, findings, (_original, { start }) => `intramur-secret-${start}`);
    expect(bytes.includes(token)).toBe(false);
    expect(JSON.parse(bytes.toString())).toBeTypeOf('object');
    const back = replaced.reduce(
      (text, { placeholder, original }) => text.replace(placeholder, () => original.toString()),
      bytes.toString(),
    );
    expect(back).toBe(input.toString());
  });

  it('joins findings that overlap and leaves those outside the body', () => {
    const { bytes, replaced } = redact(Buffer.from('0123456789'), [finding(5, 8), finding(2, 6), finding(10, 10)], () => 'PLACEHOLDER');
    expect([bytes.toString(), replaced.length]).toEqual(['01PLACEHOLDER89', 1]);
  });

  it('refuses a placeholder that could break out of a string', () => {
    expect(() => redact(Buffer.from('0123456789'), [finding(0, 5)], () => 'a","evil":"')).toThrow(TypeError);
  });
});
