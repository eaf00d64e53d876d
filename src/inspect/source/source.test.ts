import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInspector } from '../inspector.ts';
import { addTo, emptyFilter, noBackground, openBackground } from './background.ts';
import { loadBackground } from './background-data.ts';
import { channels, newGrams, structureGrams, wordGrams } from './grams.ts';
import type { FingerprintIndex } from './index-file.ts';
import { keyer } from './keyer.ts';
import { lex, newTokens, wordEnd } from './lexer.ts';
import { fingerprintStore } from './store.ts';
import { buildTable, openTable } from './table.ts';

/** Code that nobody else has: made from words, the same each time. */
function madeUpSource(seed: number, functions: number): string {
  const nouns = ['ledger', 'quota', 'shipment', 'invoice', 'tariff', 'harbour', 'voyage', 'manifest', 'berth', 'cargo', 'pilot', 'customs'];
  let state = seed;
  const pick = () => nouns[(state = (Math.imul(state, 1103515245) + 12345) >>> 0) % nouns.length] ?? '';
  return Array.from({ length: functions }, (_, i) => {
    const [a, b, c, d] = [pick(), pick(), pick(), pick()];
    return `export function ${a}${b}${i}(${c}List: ${d}[], ${a}Limit: number) {\n  // ${b} of ${c}\n  let ${d}Total = ${a}Limit;\n  for (const ${c} of ${c}List) {\n    if (${c}.${b}Weight > ${a}Limit + ${d}Total) return ${c}.${a}Name;\n    ${d}Total += ${c}.${b}Weight * ${a}Factor${i};\n  }\n  return ${d}Total === ${a}Limit ? null : ${b}Table.get(${d}Total);\n}\n`;
  }).join('\n');
}

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-source-'));
const repository = path.join(home, 'core');
const secretSource = madeUpSource(1, 12);
const build = { background: noBackground, now: () => new Date(0) };
let index: FingerprintIndex;

beforeAll(() => {
  fs.mkdirSync(path.join(repository, 'src'), { recursive: true });
  fs.writeFileSync(path.join(repository, 'src/harbour.ts'), secretSource);
  fs.writeFileSync(path.join(repository, 'src/other.ts'), madeUpSource(99, 6));
  const store = fingerprintStore(path.join(home, 'fingerprints'));
  store.add({ name: 'core', path: repository, classification: 'restricted', parts: [{ prefix: 'src/other', classification: 'internal' }] });
  store.build(build);
  const loaded = store.load();
  if (!loaded) throw new Error('the index was not built');
  index = loaded;
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

const body = (text: string, contentType = 'text/plain') => ({ bytes: Buffer.from(text), contentType, views: [] });
const snippet = secretSource.split('\n').slice(20, 45).join('\n');

describe('own source', () => {
  it('leaves nothing of an export that cannot be ended', () => {
    const place = path.join(home, 'exports');
    fs.mkdirSync(path.join(place, 'taken'), { recursive: true });
    expect(() => fingerprintStore(path.join(home, 'fingerprints')).exportTo(path.join(place, 'taken'))).toThrow('EISDIR');
    expect(fs.readdirSync(place)).toEqual(['taken']);
  });

  it('is named with repository, document, place and class', async () => {
    const text = `Why does this fail?\n${snippet}\nThanks`;
    const report = await createInspector({ fingerprints: index }).inspect(body(text));
    expect(report).toMatchObject({ classification: 'restricted', labels: ['source'] });
    expect(report.findings).toEqual([
      {
        kind: 'source',
        tier: 'block',
        detector: 'own-source',
        view: [],
        start: expect.any(Number),
        end: expect.any(Number),
        repository: 'core',
        document: 'src/harbour.ts',
        score: expect.any(Number),
        redacted: expect.stringMatching(/^own-source, \d+ bytes$/),
      },
    ]);
    const [found] = report.findings;
    expect(text.slice(found?.start, found?.end).length).toBeGreaterThan(snippet.length / 2);
  });

  it.each<[string, (code: string) => string]>([
    ['a diff', (code) => code.replace(/^/gm, '+')],
    [
      'numbered lines',
      (code) =>
        code
          .split('\n')
          .map((line, i) => `${String(i + 1).padStart(6)}\t${line}`)
          .join('\n'),
    ],
    ['grep output', (code) => code.replace(/^/gm, 'src/harbour.ts:12:')],
    ['another indentation', (code) => code.replace(/^ +/gm, (s) => s.repeat(3))],
    ['snake case', (code) => code.replace(/([a-z])([A-Z])/g, (_m, a: string, b: string) => `${a}_${b.toLowerCase()}`)],
    ['base64 of gzip in JSON', (code) => JSON.stringify({ c: Buffer.from(code).toString('base64') })],
  ])('is found in %s', async (_name, wrap) => {
    const report = await createInspector({ fingerprints: index }).inspect(body(wrap(snippet)));
    expect([report.classification, report.findings[0]?.document]).toEqual(['restricted', 'src/harbour.ts']);
  });

  it('is found with every name changed', async () => {
    const names = new Map<string, string>();
    const keep = /^(?:export|function|number|let|for|const|of|if|return|null|get)$/;
    const renamed = secretSource.replace(/[A-Za-z_]\w*/g, (name) => {
      if (keep.test(name)) return name;
      if (!names.has(name)) names.set(name, `v${names.size}`);
      return names.get(name) ?? name;
    });
    const report = await createInspector({ fingerprints: index }).inspect(body(renamed));
    expect(report.findings.map(({ tier }) => tier)).toContain('route');
  });

  it('adds up over a session, but not over another one', async () => {
    const inspector = createInspector({ fingerprints: index, detectors: [] });
    const lines = secretSource
      .split('\n')
      .filter((line) => /\w+.*\w+.*\w+/.test(line))
      .slice(0, 24);
    const drip = async (session: string, line: string) =>
      (await inspector.inspect(body(line), { session })).findings.filter(({ tier }) => tier !== 'count');
    const alone = await Promise.all(lines.map((line, i) => drip(`s${i}`, line)));
    const together: (typeof alone)[number][] = [];
    for (const line of lines) together.push(await drip('one', line));
    expect(alone.flat().filter(({ detector }) => detector === 'own-source-session')).toEqual([]);
    expect(together.flat().map(({ detector, document }) => [detector, document])).toContainEqual(['own-source-session', 'src/harbour.ts']);
  });

  it('leaves other code alone', async () => {
    const others =
      fs.readFileSync(new URL('./table.ts', import.meta.url), 'utf8') +
      madeUpSource(4242, 3).replaceAll('Total', 'Sum').replaceAll('Weight', 'Mass');
    const report = await createInspector({ fingerprints: index }).inspect(body(others));
    expect(report.findings.filter(({ tier }) => tier === 'block')).toEqual([]);
  });
});

describe('a history that is sent again', () => {
  const turns = Array.from({ length: 40 }, (_, i) => ({ role: 'user', content: `turn ${i} ${'lorem ipsum dolor '.repeat(80)}` }));
  const call = (messages: readonly object[]) => JSON.stringify({ model: 'm', messages, stream: true });

  it('gives the findings of a whole look, wherever the new part stands', async () => {
    const insertions = [
      [...turns, { role: 'user', content: snippet }],
      [...turns.slice(0, 20), { role: 'user', content: snippet }, ...turns.slice(20)],
      [{ role: 'user', content: snippet }, ...turns],
      [...turns, { role: 'user', content: snippet }, { role: 'user', content: 'and?' }],
      turns,
    ];
    const remembering = createInspector({ fingerprints: index });
    await remembering.inspect(body(call(turns), 'application/json'), { session: 'a' });
    for (const messages of insertions) {
      const text = call(messages);
      const again = await remembering.inspect(body(text, 'application/json'), { session: 'a' });
      const whole = await createInspector({ fingerprints: index }).inspect(body(text, 'application/json'));
      const essence = ({ findings }: typeof whole) =>
        findings.map(({ detector, start, end, document, tier }) => [detector, start, end, document, tier]);
      expect(essence(again)).toEqual(essence(whole));
    }
  });
});

describe('the store', () => {
  it('reads again only what changed, and follows renames', () => {
    const store = fingerprintStore(path.join(home, 'incremental'));
    store.add({ name: 'core', path: repository, classification: 'restricted', parts: [] });
    store.build(build);
    const before = store.list();
    fs.renameSync(path.join(repository, 'src/other.ts'), path.join(repository, 'src/renamed.ts'));
    store.build(build);
    expect(store.list().map(({ files, lines, entries }) => ({ files, lines, entries }))).toEqual(
      before.map(({ files, lines, entries }) => ({ files, lines, entries })),
    );
    expect(store.load()?.documents.map((document) => document.path)).toEqual(['src/harbour.ts', 'src/renamed.ts']);
  });

  it('holds no source text, and another secret gives other keys', () => {
    const files = fs
      .readdirSync(path.join(home, 'fingerprints'))
      .map((name) => fs.readFileSync(path.join(home, 'fingerprints', name), 'latin1'));
    for (const word of ['shipment', 'tariff', 'Factor']) expect(files.some((text) => text.includes(word))).toBe(false);
    const tokens = lex(Buffer.from(secretSource), newTokens());
    const grams = wordGrams(tokens, 8, newGrams('E8'));
    const [one, two] = [1, 2].map((byte) => keyer(Buffer.alloc(32, byte)).keys(tokens, grams, Int32Array.of(0)));
    expect([one?.high[0] === two?.high[0], one?.low[0] === two?.low[0]]).toEqual([false, false]);
  });

  it('exports and imports', async () => {
    const file = path.join(home, 'export');
    fingerprintStore(path.join(home, 'fingerprints')).exportTo(file);
    const other = fingerprintStore(path.join(home, 'imported'));
    other.importFrom(file);
    const report = await createInspector({ fingerprints: other.load() }).inspect(body(snippet));
    expect(report.classification).toBe('restricted');
  });

  it.each<[string, (directory: string) => void]>([
    ['a table cut off', (directory) => fs.truncateSync(path.join(directory, 'table.bin'), 100)],
    [
      'a table in which one bit was changed',
      (directory) => {
        const bytes = fs.readFileSync(path.join(directory, 'table.bin'));
        bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
        fs.writeFileSync(path.join(directory, 'table.bin'), bytes);
      },
    ],
    ["another installation's secret", (directory) => fs.writeFileSync(path.join(directory, 'secret'), Buffer.alloc(32, 9))],
    ['documents that do not parse', (directory) => fs.writeFileSync(path.join(directory, 'documents.json'), '{')],
  ])('%s is a fault, not an empty index', (_name, damage) => {
    const directory = path.join(home, 'damaged');
    fs.cpSync(path.join(home, 'fingerprints'), directory, { recursive: true });
    damage(directory);
    expect(() => fingerprintStore(directory).load()).toThrow(/fingerprint index/);
  });
});

describe('properties', () => {
  it('the table finds every key that went in', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)), { minLength: 1, maxLength: 500 }), (pairs) => {
        const keys = { high: Uint32Array.from(pairs.map(([high]) => high)), low: Uint32Array.from(pairs.map(([, low]) => low)) };
        const table = openTable(buildTable([{ keys, document: 7 }], pairs.length, () => false).memory);
        for (const [high, low] of pairs) expect(table.find(high, low)).toBe(7);
        // Half of what is asked for is there, much of it not where it would stand alone.
        const asked = pairs.flatMap(([high, low]) => [
          [high, low],
          [high, low ^ 1],
        ]);
        const found = new Int32Array(asked.length);
        const lane = (i: 0 | 1) => Int32Array.from(asked, (key) => key[i] ?? 0);
        table.findAll(lane(0), lane(1), asked.length, found);
        const there = new Set(pairs.map(([high, low]) => `${high} ${low >>> 0}`));
        expect(asked.filter(([high = 0, low = 0], i) => there.has(`${high} ${low >>> 0}`) && found[i] !== 7)).toEqual([]);
        // One that is not there may be taken for a neighbour with the same second half: `find` says the same once its filter lets it pass.
        expect([...found].every((document) => document === 0 || document === 7)).toBe(true);
      }),
    );
  });

  it('the lexer takes any bytes, and its words stand where it says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const tokens = lex(bytes, newTokens(16));
        for (let i = 0; i < tokens.wordCount; i++) {
          const start = tokens.wordStart[i] ?? -1;
          const end = wordEnd(bytes, start);
          expect(start >= 0 && start < end && end <= bytes.length).toBe(true);
        }
        wordGrams(tokens, 8, newGrams('E8'));
        structureGrams(tokens, newGrams('S'));
      }),
    );
  });

  it('the background holds what was put in', () => {
    const filter = emptyFilter(100);
    for (let i = 0; i < 100; i++) addTo(filter, channels[i % 4] ?? 'E8', i * 7919, i * 104729);
    const background = openBackground(filter);
    for (let i = 0; i < 100; i++) expect(background.has(channels[i % 4] ?? 'E8', i * 7919, i * 104729)).toBe(true);
  });
});

describe('what stands in code of everybody', () => {
  const idioms: [string, string][] = [
    [
      'a comparison that editors write',
      `public boolean equals(Object obj) {
  if (this == obj) { return true; }
  if (obj == null) { return false; }
  if (getClass() != obj.getClass()) { return false; }
  return super.equals(obj) && obj != null && this != null;
}`,
    ],
    [
      'a list of headers',
      ['netinet/in', 'netinet/tcp', 'arpa/inet', 'sys/socket', 'sys/types', 'netdb', 'termios', 'pwd', 'semaphore', 'signal', 'dirent']
        .map((name) => `#include <${name}.h>`)
        .join('\n'),
    ],
    [
      'code whose names a tool made',
      'function t(e,n){for(var r=0;r<n.length;r++){var o=n[r];o.a=o.a||!1,o.b=!0,Object.c(e,o.k,o)}}'.repeat(3),
    ],
  ];

  it.each(idioms)('is never beyond doubt, though one of our files has it: %s', async (_name, text) => {
    const root = path.join(home, 'idioms');
    fs.mkdirSync(root, { recursive: true });
    fs.writeFileSync(path.join(root, 'x.src'), `${text}\n`);
    const store = fingerprintStore(path.join(home, 'idioms-index'));
    store.add({ name: 'idioms', path: root, classification: 'restricted', parts: [] });
    store.build(build);
    const report = await createInspector({ fingerprints: store.load(), detectors: [] }).inspect(body(text));
    // It may well be theirs, so it goes inside.
    expect(report.findings.map(({ tier }) => tier)).toEqual(['route']);
  });

  it('filler text is in no index', async () => {
    const filler =
      'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua.';
    const root = path.join(home, 'filler');
    fs.mkdirSync(root, { recursive: true });
    fs.writeFileSync(path.join(root, 'x.txt'), `${filler}\n`);
    const store = fingerprintStore(path.join(home, 'filler-index'));
    store.add({ name: 'filler', path: root, classification: 'restricted', parts: [] });
    store.build({ ...build, background: loadBackground() });
    expect((await createInspector({ fingerprints: store.load(), detectors: [] }).inspect(body(filler))).findings).toEqual([]);
  });
});
