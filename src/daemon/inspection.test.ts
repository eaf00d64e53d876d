// The daemon's inspection while the company's index is built, replaced or damaged.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprintStore } from '../inspect/index.ts';
import { createInspection } from './inspection.ts';

let directory = '';
let sources = '';
beforeEach(() => {
  [directory, sources] = ['index', 'sources'].map((name) => fs.mkdtempSync(path.join(os.tmpdir(), `inspection-${name}-`))) as [
    string,
    string,
  ];
});
afterEach(() => {
  for (const each of [directory, sources]) fs.rmSync(each, { recursive: true, force: true });
});

const code = Array.from({ length: 80 }, (_, i) => `  const harbour${i} = mooring(vessel.draught * ${i} + tide.level, quay${i % 7});`).join(
  '\n',
);
const body = { bytes: Buffer.from(code), contentType: 'text/plain', views: [] };

function build(): void {
  fs.writeFileSync(path.join(sources, 'harbour.ts'), code);
  const store = fingerprintStore(directory);
  store.add({ path: sources, name: 'harbour', classification: 'confidential', parts: [] });
  store.build({ background: { mayHave: () => false, has: () => false }, now: () => new Date() });
}

describe('personal data', () => {
  it('is looked for from the payload on that follows the configuration, in small payloads and in large ones', async () => {
    let isOn = false;
    const { inspect, close } = createInspection(directory, { looksForPersonalData: () => isOn });
    const found = async (text: string) =>
      (await inspect({ bytes: Buffer.from(text), contentType: 'text/plain', views: [] }, {})).findings.map(({ detector }) => detector);
    const texts = ['pay to DE89 3704 0044 0532 0130 00 please\n', `${'and so on\n'.repeat(10_000)}card 4539 1488 0343 6467\n`];
    expect(await Promise.all(texts.map(found))).toEqual([[], []]);
    isOn = true;
    await sleep(10);
    expect(await Promise.all(texts.map(found))).toEqual([['iban'], ['payment-card']]);
    await close();
  });
});

describe('the index of the company’s source', () => {
  it('counts from the payload on that follows its build, also when one was looked at halfway', async () => {
    build();
    const { inspect } = createInspection(directory, {});
    const documents = path.join(directory, 'documents.json');
    fs.renameSync(documents, `${documents}.later`);
    await inspect(body, {}).catch(() => {});
    fs.renameSync(`${documents}.later`, documents);
    expect((await inspect(body, {})).labels).toContain('source');
  });

  it.each(['table.bin', 'documents.json', 'secret'])('without its %s is a fault, not a clean report', async (name) => {
    build();
    fs.rmSync(path.join(directory, name));
    await expect(createInspection(directory, {}).inspect(body, {})).rejects.toThrow();
  });

  describe('that is broken says so and what helps, and what helps does', () => {
    const write = (name: string, bytes: string) => fs.writeFileSync(path.join(directory, name), bytes);
    const gone = (name: string) => fs.rmSync(path.join(directory, name));
    const again = () =>
      fingerprintStore(directory).build({ background: { mayHave: () => false, has: () => false }, now: () => new Date() });

    it.each<[string, () => void, RegExp]>([
      ['documents.json', () => write('documents.json', '{"schema":'), /^intramur index build$/],
      ['an empty documents.json', () => write('documents.json', ''), /^intramur index build$/],
      ['table.bin', () => write('table.bin', 'garbage'), /^intramur index build$/],
      ['a table.bin that is gone', () => gone('table.bin'), /^intramur index build$/],
      ['an empty secret', () => write('secret', ''), /^intramur index build$/],
      ['another secret', () => write('secret', 'x'.repeat(32)), /^intramur index build$/],
      ['a secret that is gone', () => gone('secret'), /^intramur index build$/],
    ])('%s', async (_name, damage, next) => {
      build();
      damage();
      const inspection = createInspection(directory, {});
      await expect(inspection.inspect(body, {})).rejects.toMatchObject({ code: 'INDEX_BROKEN' });
      expect(inspection.fault()).toMatchObject({ code: 'INDEX_BROKEN', hint: expect.stringMatching(next) as string });
      again();
      expect(inspection.fault()).toBeUndefined();
      expect((await inspection.inspect(body, {})).labels).toContain('source');
      await inspection.close();
    });

    it('its list: no build reads it, so it is moved away and made anew', async () => {
      build();
      const list = path.join(directory, 'repositories.json');
      write('repositories.json', '{"schema":"intramur/fingerprints/1","repositories":[{"name":"harb');
      const { fault } = createInspection(directory, {});
      const hint = `move ${list} away, register harbour (confidential) anew (intramur index add REPO --classification C), then: intramur index build`;
      expect(fault()).toMatchObject({ code: 'INDEX_BROKEN', message: 'repositories.json of the fingerprint index is broken', hint });
      expect(again).toThrow(expect.objectContaining({ hint }) as Error);
      fs.renameSync(list, `${list}.away`);
      build();
      expect(fault()).toBeUndefined();
    });

    it('one that was imported is imported again', () => {
      build();
      const exported = path.join(sources, 'export');
      const store = fingerprintStore(directory);
      store.exportTo(exported);
      store.remove('harbour');
      store.importFrom(exported);
      write('documents.json', '');
      const { fault } = createInspection(directory, {});
      expect(fault()?.hint).toBe('intramur index import FILE, with a good export');
      store.importFrom(exported);
      expect(fault()).toBeUndefined();
    });

    it('a list that was moved away while the table is broken asks for the repositories', () => {
      build();
      gone('repositories.json');
      write('table.bin', '');
      expect(createInspection(directory, {}).fault()?.hint).toMatch(/^intramur index add REPO .* index build$/);
    });
  });

  it('overwritten by something else while it is in use is a fault', async () => {
    build();
    const { inspect } = createInspection(directory, {});
    await inspect(body, {});
    fs.writeFileSync(path.join(directory, 'table.bin'), 'garbage');
    await sleep(10);
    await expect(inspect(body, {})).rejects.toThrow();
  });

  it('that was never built recognises nothing and refuses nothing', async () => {
    expect(await createInspection(directory, {}).inspect(body, {})).toMatchObject({ labels: [] });
  });
});
