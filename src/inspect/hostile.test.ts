// Input made against us: for each registered pattern texts that repeat a part of what it looks for and then fail, bodies that nest or
// unfold, bodies too large, bytes that are no text. Work stays in proportion, and what was not looked at is refused.
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { detectors } from './detectors/registry.ts';
import { secretsOfEnvFile } from './env-file.ts';
import { hiddenTextIn, hiddenTexts } from './hidden-text.ts';
import { createInspector } from './inspector.ts';
import { personalData, personalDataIn } from './personal-data.ts';
import { secretScanner } from './secrets.ts';
import { rawView } from './view.ts';

/** A detector sees a window at a time, so more of the same is no more work; the others see the whole text. */
const WINDOWED = 6 << 10;
const WHOLE = 48 << 10;

/** What many classes of characters hold. */
const FILLERS = ['a', '0', ' ', 'a '];

/** Of a text that is looked for: some beginnings of it, then its next part or something else without end, before an end that does not fit. */
function* pumped(sample: string, size: number, cuts: number): Generator<string> {
  const step = Math.max(1, Math.floor(sample.length / cuts));
  for (let start = 0; start < sample.length; start += step) {
    for (const part of [sample.slice(start, start + 1), sample.slice(start, start + step + 1), ...FILLERS])
      yield `${sample.slice(0, start)}${part.repeat(Math.ceil(size / part.length))}\u0000!`;
  }
}

function cpuMs(step: () => void): number {
  const began = process.threadCpuUsage();
  step();
  return process.threadCpuUsage(began).user / 1000;
}

type Scan = (text: string) => unknown;
const secretsBy = (list: typeof detectors): Scan => {
  const { scan } = secretScanner({ detectors: list, isPlaceholder: () => false, fingerprint: () => '' });
  return (text) => scan(rawView(Buffer.from(text, 'latin1')));
};
const hidden: Readonly<Record<string, string>> = {
  'tag-characters': '\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2',
  'variation-selectors': '\xf3\xa0\x84\x80\xf3\xa0\x84\x81',
  'bidi-controls': '\xe2\x80\xaa',
  'zero-width': 'a\xe2\x80\x8bb',
  'zero-width-run': '\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8b',
  'terminal-conceal': '\x1b[8;8;8;8;8m',
  'terminal-command': '\x1b]8;',
};

/** Every pattern that is run over a text of somebody else's, with what it looks for. */
const patterns: [string, Scan, readonly string[]][] = [
  ...detectors.map((detector): [string, Scan, readonly string[]] => [detector.id, secretsBy([detector]), detector.hits.slice(0, 2)]),
  ...personalData.map(({ id, hits }): [string, Scan, readonly string[]] => [
    id,
    (text) => personalDataIn(rawView(Buffer.from(text, 'latin1')), () => ''),
    hits,
  ]),
  ...hiddenTexts.map(({ id }): [string, Scan, readonly string[]] => [
    id,
    (text) => hiddenTextIn(rawView(Buffer.from(text, 'latin1'))),
    [hidden[id] ?? ''],
  ]),
  ['.env', (text) => secretsOfEnvFile(text, ''), ['export A_B = "x\\"y" # z', "A='b'", 'KEY=value # c', 'U=postgres://u:p@h/d']],
];

describe('a text made against a pattern', () => {
  it('is there for each that is registered', () => {
    for (const [id, , samples] of patterns)
      expect([id, samples.length > 0 && samples.every((sample) => sample !== '')]).toEqual([id, true]);
    expect(Object.keys(hidden).toSorted()).toEqual(hiddenTexts.map(({ id }) => id).toSorted());
  });

  // One test, since a test each costs more than what it does.
  it('costs work in proportion to its length', () => {
    const slow: string[] = [];
    for (const [id, scan, samples] of patterns) {
      const isWindowed = detectors.some((detector) => detector.id === id);
      const texts = samples.flatMap((sample) => [...(isWindowed ? pumped(sample, WINDOWED, 4) : pumped(sample, WHOLE, 24))]);
      for (const text of texts) {
        const ms = cpuMs(() => scan(text));
        // Usual is less than a millisecond; quadratic work on so much would be seconds.
        if (ms > 500) slow.push(`${id}: ${ms.toFixed(0)} ms for ${JSON.stringify(text.slice(0, 40))}`);
      }
    }
    expect(slow).toEqual([]);
  }, 120_000);
});

const inspector = createInspector({ personalData: true });
const inspect = (bytes: Buffer, contentType = '') => inspector.inspect({ bytes, contentType, views: [] });

/** A ZIP whose members are all the same packed megabyte, as bombs are made. */
function overlapping(members: number): Buffer {
  const packed = zlib.deflateRawSync(Buffer.alloc(1 << 20, 'a'));
  const header = Buffer.alloc(30);
  header.write('PK\x03\x04', 'latin1');
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(packed.length, 18);
  return Buffer.concat(Array.from({ length: members }, () => [header, packed]).flat());
}

describe('a body made against the inspection', () => {
  it.each<[string, () => Buffer, string | undefined]>([
    ['a hundred megabytes', () => Buffer.alloc(100 << 20, 0x61), 'INSPECT_LIMIT'],
    ['an archive that unfolds to a gigabyte', () => overlapping(1000), 'INSPECT_LIMIT'],
    ['arrays in arrays, a quarter of a million deep', () => Buffer.from('['.repeat(1 << 18)), undefined],
    ['objects in objects', () => Buffer.from('{"a":'.repeat(1 << 17)), undefined],
    ['JSON in JSON, until its backslashes are thousands', () => Buffer.from(quoted(14)), 'INSPECT_LIMIT'],
    ['a hundred thousand encoded parts', () => Buffer.from(`${'QUJDREVGR0hJSktMTU5PUFFSU1RVVldY '.repeat(60_000)}`), 'INSPECT_LIMIT'],
  ])(
    '%s: bounded, and refused where not all was looked at',
    async (_name, make, code) => {
      const body = make();
      const began = process.cpuUsage();
      const report = await inspect(body);
      expect(report.refused?.code).toBe(code);
      expect(process.cpuUsage(began).user / 1e6).toBeLessThan(15);
    },
    60_000,
  );

  it.each<[string, number[]]>([
    ['a cut sequence', [0xe2, 0x82]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a continuation alone', [0x80]],
  ])('%s is no text, wherever it stands: refused', async (_name, bytes) => {
    for (const [before, after] of [
      ['{"a":"', '"}'],
      ['', ' and then some'],
      [`${'word '.repeat(3000)}`, ''],
    ] as const) {
      const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
      expect((await inspect(body, 'application/json')).refused?.code).toBe('INSPECT_FAILED');
    }
  });
});

function quoted(times: number): string {
  let text = 'x"';
  for (let i = 0; i < times; i++) text = JSON.stringify(text);
  return text;
}
