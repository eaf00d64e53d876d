import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differences, tokenize } from './tokens.ts';

it('words stay whole, everything else is a code point', () => {
  expect(tokenize('Today\u2019s 2026/11\u200b😀').map(({ text }) => text)).toEqual([
    'Today',
    '\u2019',
    's',
    ' ',
    '2026',
    '/',
    '11',
    '\u200b',
    '😀',
  ]);
  expect(tokenize('Today\u02bcs').map(({ text }) => text)).toEqual(['Today', '\u02bc', 's']);
});

it.each<[string, string, string[]]>([
  ['abc', 'abc', []],
  ['abc', 'axc', ['b>x']],
  ['abc', 'ac', ['b>']],
  ['ac', 'abc', ['>b']],
  ['2026-11-22', '2026/11/22', ['->/', '->/']],
  ['', 'a', ['>a']],
])('%s and %s', (a, b, expected) => {
  const split = (text: string): string[] => text.split('');
  expect(differences(split(a), split(b)).map((h) => `${a.slice(h.aStart, h.aEnd)}>${b.slice(h.bStart, h.bEnd)}`)).toEqual(expected);
});

it('the hunks turn the one into the other, whatever the limit', () => {
  const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });
  fc.assert(
    fc.property(words, words, fc.integer({ min: 0, max: 60 }), (a, b, limit) => {
      let at = 0;
      const built: string[] = [];
      for (const hunk of differences(a, b, limit)) {
        expect(hunk.aStart).toBeGreaterThanOrEqual(at);
        built.push(...a.slice(at, hunk.aStart), ...b.slice(hunk.bStart, hunk.bEnd));
        at = hunk.aEnd;
      }
      expect([...built, ...a.slice(at)]).toEqual(b);
    }),
  );
});
