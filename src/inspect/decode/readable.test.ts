import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPicture, isText } from './readable.ts';

/** Few letters, many bytes that are no text, whole and broken characters of two to four bytes. */
const byte = fc.oneof(
  fc.constantFrom(0x61, 0x20, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80),
  fc.nat(255),
  fc.constantFrom(0, 8, 9, 14, 26, 27, 0xc0, 0xf5),
);
const character = fc.constantFrom('é', '日', '本', '😀', 'я', ' ', 'x').map((text) => [...Buffer.from(text)]);
const bytes = fc.oneof(
  fc.array(byte, { maxLength: 40 }),
  fc.tuple(fc.array(character, { minLength: 2, maxLength: 20 }), fc.array(byte, { maxLength: 4 }), fc.nat(12)).map(([text, more, at]) => {
    const list = text.flat();
    return [...list.slice(0, list.length - at), ...more, ...list.slice(list.length - at)];
  }),
);

it('what a decoder of UTF-8 reads without a fault is text, and noise that is told early is none', () => {
  fc.assert(
    fc.property(bytes, (list) => {
      const plain = list.filter((value) => (value >= 0x20 && value < 0x7f) || [9, 10, 13, 27].includes(value)).length;
      const weight = 2 * plain + list.filter((value) => value >= 0x80).length;
      const text = Buffer.from(list)
        .toString('utf8')
        .replace(/\uFFFD{1,3}$/, '');
      const isWhole = list.length >= 12 && !/[\uFFFD\0-\x08\x0e-\x1a]/.test(text);
      expect(isText(Uint8Array.from(list))).toBe(list.length > 0 && (weight >= 1.75 * list.length || isWhole));
    }),
    { numRuns: 3000 },
  );
});

it.each<[string, boolean]>([
  ['\x89PNG\r\n', true],
  ['\xff\xd8\xff\xe0', true],
  ['GIF89a', true],
  ['RIFF\0\0\0\0WEBP', true],
  ['wOF2', true],
  ['RIFF\0\0\0\0WAVE', false],
  ['\x89PN', false],
  ['', false],
])('%j is a picture: %s', (head, expected) => {
  expect(isPicture(Buffer.from(head, 'latin1'))).toBe(expected);
});
