import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchLike } from './like.ts';
import { isEqual, parseDuration, parseInstant, parseIp, RecordValue } from './value.ts';

describe('matchLike', () => {
  it('agrees with the regular expression it stands for', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 });
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 3 }), { minLength: 1, maxLength: 5 }),
        text,
        (literals, subject) => {
          const expression = new RegExp(`^${literals.map((literal) => literal.replaceAll('.', '\\.')).join('.*')}$`, 's');
          expect(matchLike(literals, subject)).toBe(expression.test(subject));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('parseIp', () => {
  it.each<[string, string, boolean]>([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.0.0.0/8', '10.0.0.0/16', false],
    ['10.0.0.0/16', '10.0.0.0/8', true],
    ['0.0.0.0', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['::1', '::/0', true],
    ['fd00:ec2::254', 'fd00:ec2::/32', true],
    ['fd00:ec3::254', 'fd00:ec2::/32', false],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8', true],
  ])('%s in %s -> %s', (address, range, isIn) => {
    const [a, r] = [parseIp(address), parseIp(range)];
    expect(a && r && a.isInRange(r)).toBe(isIn);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4/33',
    '1.2.3.4/08',
    '::1/129',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7::8:9',
    '::ffff:1.2.3.4',
    'g::',
    '12345::',
  ])('%s is none', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

it.each<[string, string | undefined]>([
  ['2026-01-02', '2026-01-02T00:00:00.000Z'],
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05+0130', '2026-01-02T01:34:05.000Z'],
  ['2026-01-02T03:04:05-0130', '2026-01-02T04:34:05.000Z'],
  ['2026-13-02', undefined],
  ['2026-01-02 03:04', undefined],
  ['tomorrow', undefined],
])('parseInstant(%s)', (text, iso) => {
  const instant = parseInstant(text);
  expect(instant && new Date(instant.ms).toISOString()).toBe(iso);
});

it.each<[string, number | undefined]>([
  ['15m', 900_000],
  ['1d2h3m4s5ms', 93_784_005],
  ['-1h', -3_600_000],
  ['5ms', 5],
  ['', undefined],
  ['-', undefined],
  ['1m1h', undefined],
  ['1', undefined],
])('parseDuration(%s)', (text, ms) => {
  expect(parseDuration(text)?.ms).toBe(ms);
});

it('sets and records are equal by content, and names of prototypes are no fields', () => {
  expect(isEqual([1, 'a', 1], ['a', 1])).toBe(true);
  expect(isEqual([1], [1, 2])).toBe(false);
  expect(isEqual(new RecordValue({ a: 1 }), new RecordValue({ a: 1 }))).toBe(true);
  expect(isEqual(new RecordValue({ a: 1 }), new RecordValue({ constructor: 1 }))).toBe(false);
  expect(isEqual(1, '1')).toBe(false);
});
