// The quick writer of entries against the definition that it has to meet: RFC 8785 as canonical.ts spells it out, and the reader.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifications, type EntryBody, egressClasses, labels, perimeters, purposes } from '../core/index.ts';
import { canonicalJson } from './canonical.ts';
import { encodeEntry, parseEntry } from './entry.ts';

const time = new Date('2026-01-02T03:04:05.678Z');

/** What is recorded is the canonical form of all that was given, where that reads back. */
function defined(index: number, body: object): string {
  const entry = { ...body, index, time: time.toISOString() };
  try {
    const text = canonicalJson(entry);
    parseEntry(Buffer.from(text), index);
    return text;
  } catch {
    return 'refused';
  }
}

function written(index: number, body: object): string {
  try {
    const { entry, text } = encodeEntry(index, time, body as EntryBody);
    // By their text: minus zero reads back as zero.
    expect(canonicalJson({ ...parseEntry(Buffer.from(text), index) })).toBe(canonicalJson({ ...entry }));
    return text;
  } catch (fault) {
    expect(fault).toMatchObject({ code: 'LEDGER_APPEND' });
    return 'refused';
  }
}

const full: Required<EntryBody> = {
  action: 'llm.invoke',
  session: '3f0c9c0e-5f0e-4a57-9f4e-8a9c2b1d7e60',
  user: 'alice',
  agent: 'claude-code',
  purpose: 'research',
  class: 'model',
  host: 'api.vendor.example',
  port: 443,
  method: 'POST',
  path: '/v1/messages',
  requestedModel: 'some-model-4',
  provider: 'coder',
  perimeter: 'onprem',
  classification: 'internal',
  labels: ['source', 'pii'],
  decision: 'allow',
  reason: 'because "it" is\nso — really',
  policies: ['perimeter.inside', 'baseline.model'],
  bytesOut: 48_213,
  bytesIn: 0,
  bodySha256: 'ab'.repeat(32),
  outcomeOf: 7,
  status: 200,
  detail: { model: 'm', stream: false, ms: 12, attempts: 1, targets: ['a/b'] },
};

it('every field has its place in the canonical order, and none is left out', () => {
  const { entry, text } = encodeEntry(3, time, full);
  expect(text).toBe(canonicalJson({ ...full, index: 3, time: time.toISOString() }));
  expect(entry).toEqual({ ...full, index: 3, time: time.toISOString() });
});

it.each<[string, object]>([
  ['a member without a value', { ...full, host: undefined }],
  ['an action without a value', { ...full, action: undefined }],
  ['a field that is not known', { ...full, hostname: 'h' }],
  ['a field named as what every object has', { ...full, constructor: 'c' }],
  ['a list with a hole', { ...full, policies: new Array(1).concat('p') }],
  ['a detail that is a list', { ...full, detail: ['a'] }],
  ['an index and a time of its own', { ...full, index: 99, time: 'then' }],
])('%s', (_name, body) => {
  expect(written(3, body)).toBe(defined(3, body));
});

it.each<[string, object]>([
  ['a field that is not known, without a value', { ...full, hostname: undefined }],
  ['a detail with a form of its own', { ...full, detail: new Date(0) }],
  ['a detail with a member without a value', { ...full, detail: { a: undefined } }],
])('%s is refused: it would not read back as it was given', (_name, body) => {
  expect(written(3, body)).toBe('refused');
});

it.each(['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.001Z', '2026-01-02T03:04:05.007Z', '9999-12-31T23:59:59.999Z'])(
  'the time %s comes as it is, twice and after another',
  (text) => {
    for (const at of [text, text, '2000-01-01T00:00:00.000Z', text])
      expect(encodeEntry(0, new Date(at), { action: 'daemon.stop' }).entry.time).toBe(at);
  },
);

it.each([new Date(Number.NaN), new Date(8.64e15)])('a time that an entry cannot say is refused: %s', (at) => {
  expect(() => encodeEntry(0, at, { action: 'daemon.stop' })).toThrow();
});

describe('properties', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', 'x\udc00', String.raw`\ud800`, '\u2028"\\\u0000', '😀', '\ufeff', '__proto__'),
  );
  const number = fc.oneof(fc.nat(), fc.constantFrom(-0, -1, 0.5, 1e21, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, 5e-324));
  const junk = fc.oneof(
    text,
    number,
    fc.constantFrom(null, true, {}, [], () => 'f', 1n, Symbol('s')),
    fc.array(text),
  );
  const name = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toJSON', '10', '9', '007', '4294967295', '-1', '1a'));
  const detail = fc.dictionary(name, fc.oneof({ weight: 6, arbitrary: text }, number, fc.boolean(), fc.array(text), junk), { maxKeys: 6 });
  const lists = { labels: fc.array(fc.constantFrom(...labels)), policies: fc.array(text) };
  const words = {
    purpose: fc.constantFrom(...purposes),
    class: fc.constantFrom(...egressClasses),
    perimeter: fc.constantFrom(...perimeters),
    classification: fc.constantFrom(...classifications),
    decision: fc.constantFrom('allow', 'deny'),
  };
  const valid = fc.record(
    { session: text, user: text, host: text, path: text, reason: text, port: fc.nat(), status: fc.maxSafeNat(), ...lists, ...words },
    { requiredKeys: [] },
  );
  const index = fc.nat();

  it('text of every kind comes as the canonical form has it', () => {
    fc.assert(
      fc.property(index, valid, (at, body) => {
        const given = { action: 'http.request', ...body };
        expect(written(at, given)).toBe(defined(at, given));
      }),
      { numRuns: 500 },
    );
  });

  it('whatever stands in one field is recorded exactly when it reads back', () => {
    fc.assert(
      fc.property(index, valid, fc.constantFrom(...Object.keys(full), 'other'), junk, (at, body, field, value) => {
        const given = { action: 'http.request', ...body, [field]: value };
        expect(written(at, given)).toBe(defined(at, given));
      }),
      { numRuns: 1000 },
    );
  });

  it('whatever stands in the detail, under whatever names, is recorded exactly when it reads back', () => {
    fc.assert(
      fc.property(index, detail, (at, members) => {
        const given = { action: 'http.request', detail: members };
        expect(written(at, given)).toBe(defined(at, given));
      }),
      { numRuns: 2000 },
    );
  });
});
