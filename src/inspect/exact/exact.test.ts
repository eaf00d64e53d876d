import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInspector, type Inspector } from '../inspector.ts';
import { csvRows } from './csv.ts';
import { type DataStore, dataStore } from './data-store.ts';
import { valueOf } from './runs.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-exact-'));
const directory = path.join(home, 'fingerprints');
const customers = path.join(home, 'customers.csv');
let store: DataStore;
let inspector: Inspector;

beforeAll(() => {
  fs.writeFileSync(
    customers,
    [
      'Id,Name,E-Mail,IBAN,City',
      'C-48213,"Roe, Jane",jane.roe@acme-corp.example,DE89370400440532013000,Lübeck',
      'C-48214,Ola Nordmann,ola@fjord.example,NO9386011117947,Tromsø',
      '7,X,me,,Rome',
    ].join('\r\n'),
  );
  store = dataStore(directory);
  store.add({
    name: 'customers',
    path: customers,
    classification: 'restricted',
    columns: ['e-mail', 'iban', 'ID'],
    with: ['Name', 'City'],
  });
  store.build(() => new Date(0));
  inspector = createInspector({ data: store.load(), detectors: [] });
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

const found = async (text: string, contentType = 'text/plain') => {
  const { findings: all, classification, labels } = await inspector.inspect({ bytes: Buffer.from(text), contentType, views: [] });
  const findings = all.filter(({ kind }) => kind === 'pii');
  return { tiers: findings.map(({ tier }) => tier), classification, labels, text: JSON.stringify(findings) };
};

describe('tables of people', () => {
  const line = 'please write to jane.roe@acme-corp.example about her order';
  it.each<[string, string]>([
    ['as it is', line],
    ['in another case', line.toUpperCase()],
    ['in JSON', JSON.stringify({ messages: [{ role: 'user', content: line }] })],
    ['base64', Buffer.from(line).toString('base64')],
    ['gzip in base64', zlib.gzipSync(line).toString('base64')],
    ['hex', Buffer.from(line).toString('hex')],
    ['percent', encodeURIComponent(line)],
    ['zero width', line.replace(/e/g, 'e\u200b')],
    ['a number in groups', 'pay DE89 3704 0044 0532 0130 00 today'],
    ['a number run together in lower case', 'iban=de89370400440532013000;'],
    ['a number of the company’s own', 'customer C-48213 called'],
  ])('a person is recognised: %s', async (_name, text) => {
    const report = await found(text);
    expect(report).toMatchObject({ tiers: ['route'], classification: 'restricted', labels: ['pii'] });
    expect(report.text).toContain('exact-data of customers');
    expect(report.text.toLowerCase()).not.toMatch(/roe|48213|de89/);
  });

  it.each<[string, string, string]>([
    ['beyond doubt with a second value of the same row near it', 'Roe, Jane <jane.roe@acme-corp.example>', 'block'],
    ['also beyond ASCII', 'jane.roe@acme-corp.example lives in Lübeck', 'block'],
    ['not with a value of another row', 'jane.roe@acme-corp.example met Ola Nordmann in Tromsø', 'route'],
    ['not with one far away', `jane.roe@acme-corp.example ${'and so on '.repeat(100)} Lübeck`, 'route'],
  ])('is certain %s', async (_name, text, tier) => expect((await found(text)).tiers).toEqual([tier]));

  it.each(['xjane.roe@acme-corp.example', 'Jane Roe lives in Lübeck', 'C-482134', 'DE89370400440532013001', '7 X me Rome'])(
    'others are nobody: %s',
    async (text) => {
      expect(await found(text)).toMatchObject({ tiers: [], classification: 'public', labels: [] });
    },
  );

  it('nothing of a table is on the disk, and without its index inspection fails', () => {
    const files = fs.readdirSync(directory).map((name) => fs.readFileSync(path.join(directory, name)).toString('latin1'));
    expect(files.join().toLowerCase()).not.toMatch(/jane|nordmann|48213|de8937/);
    const bin = path.join(directory, 'tables.bin');
    const whole = fs.readFileSync(bin);
    fs.writeFileSync(bin, whole.subarray(0, whole.length - 1));
    expect(() => store.load()).toThrow('the index of tables is broken');
    fs.rmSync(bin);
    expect(() => store.load()).toThrow('the index of tables is broken');
    fs.writeFileSync(bin, whole);
    expect(store.list()).toMatchObject([{ name: 'customers', rows: 3, values: 6 }]);
  });

  it('without its list, or with a table that is gone, says what helps', () => {
    const list = path.join(directory, 'tables.json');
    const whole = fs.readFileSync(list);
    for (const text of ['', '{"schema":"intramur/tables/1","tables":[{"name":"x"}]}']) {
      fs.writeFileSync(list, text);
      for (const act of [() => store.load(), () => store.list(), () => store.build(() => new Date())])
        expect(act).toThrow(expect.objectContaining({ code: 'INDEX_BROKEN', hint: expect.stringContaining(`move ${list} away`) }) as Error);
    }
    fs.writeFileSync(list, whole);
    fs.renameSync(customers, `${customers}.away`);
    expect(() => store.build(() => new Date())).toThrow(expect.objectContaining({ hint: 'intramur index remove customers' }) as Error);
    fs.renameSync(`${customers}.away`, customers);
  });

  it('a table without the column, or that is no CSV, is an error that shows nothing of it', () => {
    const other = dataStore(path.join(home, 'other'));
    other.add({ name: 't', path: customers, classification: 'restricted', columns: ['phone'], with: [] });
    expect(() => other.build(() => new Date())).toThrow('table "t" has no column "phone"');
    fs.writeFileSync(path.join(home, 'bad.csv'), 'phone\n"+49 30 123 never closed');
    other.add({ name: 't', path: path.join(home, 'bad.csv'), classification: 'restricted', columns: ['phone'], with: [] });
    expect(() => other.build(() => new Date())).toThrow(/^the table is no CSV: a quote does not close$/);
  });
});

describe('CSV', () => {
  it('reads what it wrote, whatever the cells hold', () => {
    const cell = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r', ' ', '0') });
    const write = (rows: readonly string[][]) =>
      rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')).join('\r\n');
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }), (rows) => {
        const whole = [['h1', 'h2'], ...rows];
        expect([...csvRows(write(whole))]).toEqual(whole);
      }),
    );
  });

  it('takes semicolons and tabs, and empty cells at the end', () => {
    expect([...csvRows('\ufeffa;b;c\n1;;\n')]).toEqual([
      ['a', 'b', 'c'],
      ['1', '', ''],
    ]);
    expect([...csvRows('a\tb\r\n1\t2')]).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });
});

it('a value is its letters and digits', () => {
  expect(valueOf('DE89 3704-0044')).toEqual(valueOf('de8937040044'));
  expect([valueOf('--'), valueOf('x'.repeat(65))]).toEqual([undefined, undefined]);
});
