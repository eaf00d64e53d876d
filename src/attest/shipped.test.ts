import { describe, expect, it } from 'vitest';
import { shippedHints } from './shipped.ts';

const hosts = 'alder.example,birch.example,lab.example,models.lab.example,another-lab.example,more.example';
const under = (key: number, text: string): string => Buffer.from(Buffer.from(text).map((byte) => byte ^ key)).toString('base64');

async function* inParts(text: string, size = text.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

describe('what a program ships', () => {
  it.each([1, 91, 200])('strings under the key %i are found, wherever the program is cut', async (key) => {
    const program = `var x="${under(key, hosts)}";`.padStart(3000, 'let a = 1; ');
    for (const size of [program.length, 1000, 97]) {
      const hints = await shippedHints(inParts(program, size), []);
      expect(hints).toEqual([{ kind: 'hidden-strings', says: expect.any(String), evidence: hosts, count: 1 }]);
    }
  });

  it.each([
    ['plain text in base64', Buffer.from(hosts).toString('base64')],
    ['an image', Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 197 + (i >> 3) * 31) & 255)).toString('base64')],
    ['a long word', 'A'.repeat(5000)],
    ['hex digits', '0123456789abcdef'.repeat(40)],
  ])('%s is no table of hidden strings', async (_name, literal) => {
    expect(await shippedHints(inParts(`const a = "${literal}";`), [])).toEqual([]);
  });

  it('the code that reads them back, and a known signature', async () => {
    const program = 'b.map(c=>String.fromCharCode(c.charCodeAt(0)^91)).join("");zones=["Asia/Urumqi"]';
    const hints = await shippedHints(inParts(program), [{ text: 'Asia/Urumqi', says: 'is known' }]);
    expect(hints.map(({ kind, count }) => ({ kind, count }))).toEqual([
      { kind: 'signature', count: 1 },
      { kind: 'decoder', count: 1 },
    ]);
  });
});
