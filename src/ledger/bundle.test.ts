// An entry is written once; what was given away of a bundle stays as it is while others are added behind it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Bundle } from './bundle.ts';
import { leafHash } from './merkle.ts';
import { frameEntry } from './tile.ts';

const entries = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 300 })), { maxLength: 30 });

it('holds its entries as a bundle frames them, and gives the leaf hash of each', () => {
  fc.assert(
    fc.property(entries, fc.nat({ max: 100 }), (all, bytes) => {
      const bundle = new Bundle(bytes);
      const leaves = all.map((entry) => Buffer.from(bundle.add(entry)).toString('hex'));
      expect(leaves).toEqual(all.map((entry) => Buffer.from(leafHash(Buffer.from(entry))).toString('hex')));
      expect(bundle.since(0).equals(Buffer.concat(all.map((entry) => frameEntry(Buffer.from(entry)))))).toBe(true);
      expect([bundle.count, bundle.length]).toEqual([all.length, bundle.since(0).length]);
    }),
  );
});

it('what it gave away stays as it is, also when its memory grows', () => {
  const bundle = new Bundle(8);
  const given: [Buffer, string][] = [];
  for (let i = 0; i < 200; i += 1) {
    const from = bundle.length;
    bundle.add(`entry ${i}`);
    const bytes = bundle.since(from);
    given.push([bytes, bytes.toString('hex')]);
  }
  for (const [bytes, before] of given) expect(bytes.toString('hex')).toBe(before);
});

it('an entry of 65,536 bytes does not fit, and leaves nothing behind', () => {
  const bundle = new Bundle();
  bundle.add('x'.repeat(65_535));
  const { length } = bundle;
  expect(() => bundle.add('x'.repeat(65_536))).toThrow('65,535');
  expect(() => bundle.add(Buffer.alloc(65_536))).toThrow('65,535');
  expect([bundle.length, bundle.count]).toEqual([length, 1]);
});
