// RFC 8785: its own examples, then round trips.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, type JsonValue } from './canonical.ts';

it('the sample of RFC 8785 section 3.2.3', () => {
  const sample = {
    // The literals as the RFC writes them: some are more precise than a double.
    numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, Number('0.000000000000000000000000001')],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\u002f',
    literals: [null, true, false],
  };
  expect(canonicalJson(sample)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

it('keys are sorted by UTF-16 code units, as in RFC 8785 section 3.2.3', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Dalet',
    '1': 'One',
    '\ud83d\ude00': 'Smile',
    '\u0080': 'Control',
    ö: 'o',
  };
  const keys = Object.keys(JSON.parse(canonicalJson(value)));
  expect(keys.toSorted()).toEqual(['\r', '1', '\u0080', 'ö', '\u20ac', '\ud83d\ude00', '\ufb33']);
  expect(canonicalJson(value)).toBe(
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"o","€":"Euro Sign","😀":"Smile","\ufb33":"Dalet"}',
  );
});

it.each<[string, number, string]>([
  ['minus zero', -0, '0'],
  ['smallest', 5e-324, '5e-324'],
  ['largest', 1.7976931348623157e308, '1.7976931348623157e+308'],
  ['integer limit', 9007199254740992, '9007199254740992'],
  ['exponent', 1e21, '1e+21'],
  ['below the exponent', 999999999999999900000, '999999999999999900000'],
])('number: %s', (_name, value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

it.each<[string, number | string]>([
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a lone surrogate', '\ud800'],
])('%s has no canonical form', (_name, value) => {
  expect(() => canonicalJson({ value })).toThrow(TypeError);
});

it.each<[string, JsonValue, string]>([
  ['in order', { a: 'x', b: [{ c: 1, d: null }], e: true }, '{"a":"x","b":[{"c":1,"d":null}],"e":true}'],
  ['out of order below', { a: [{ d: 1, c: 2 }] }, '{"a":[{"c":2,"d":1}]}'],
  ['missing members', { a: undefined, b: 1 }, '{"b":1}'],
  ['keys that are array indices', { a: 1, 10: 1, 9: 1 }, '{"10":1,"9":1,"a":1}'],
  ['text that spells an escape', { a: String.raw`\ud800`, b: '😀' }, String.raw`{"a":"\\ud800","b":"😀"}`],
])('objects: %s', (_name, value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

it.each<[string, JsonValue]>([
  ['an infinity', { a: [Number.POSITIVE_INFINITY] }],
  ['half a surrogate pair', { a: [{ b: 'x\udc00' }] }],
  ['half a surrogate pair in a key', { 'a\ud800': 1 }],
])('%s inside has no canonical form', (_name, value) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
});

it('means what JSON means, and says it in one way', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ unit: 'grapheme' }),
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
      ),
      (value) => {
        const text = canonicalJson(value);
        const back = JSON.parse(text);
        expect(canonicalJson(back)).toBe(text);
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(reversed)).toBe(text);
      },
    ),
  );
});
