import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keywordMatcher } from './aho-corasick.ts';

const letters = (minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom('a', 'b', 'A', '_', '\x01', '1'), { minLength, maxLength }).map((list) => list.join(''));

it('finds every keyword wherever it stands, and nothing else', () => {
  const keywords = fc.uniqueArray(letters(1, 7), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(keywords, letters(0, 60), fc.boolean(), fc.nat(2), (list, text, ignoreCase, more) => {
      const wanted = ignoreCase ? [...new Set(list.map((keyword) => keyword.toLowerCase()))] : list;
      // Longer than what is looked at in one go, so that a keyword stands over the seam.
      const whole = `${'-'.repeat(more === 0 ? 0 : (1 << 15) - 20 + more)}${text}`;
      const found = new Set<string>();
      keywordMatcher(wanted, { ignoreCase }).scan(Buffer.from(whole, 'latin1'), (keyword, start, end) => {
        found.add(`${keyword} ${start} ${end}`);
      });
      const plain = ignoreCase ? whole.toLowerCase() : whole;
      const expected = new Set<string>();
      for (const [keyword, value] of wanted.entries()) {
        for (let at = plain.indexOf(value); at !== -1; at = plain.indexOf(value, at + 1))
          expected.add(`${keyword} ${at} ${at + value.length}`);
      }
      expect(found).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});
