import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { makeBundle } from './bundle.ts';
import { loadCedar } from './evaluate.ts';
import { nothingProven, type ProvenPolicy, provenKey } from './proven.ts';
import { type PolicyFile, readPolicyFiles } from './source.ts';

const packsDir = path.join(import.meta.dirname, '..', 'packs');
const names = readdirSync(packsDir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const files = (await Promise.all(names.map((name) => readPolicyFiles(path.join(packsDir, name), name)))).flat();
const never = () => Promise.reject(new Error('Cedar was asked'));

it('the record is what Cedar says about each file that ships, after strict validation', async () => {
  const record: Record<string, ProvenPolicy[]> = {};
  for (const file of files) {
    const { policies } = await makeBundle([file], loadCedar, nothingProven);
    record[provenKey(file.bytes)] = [...policies.values()].map(({ text, json }) => {
      const start = file.bytes.indexOf(text);
      return { start, end: start + Buffer.byteLength(text), json };
    });
  }
  const text = `${JSON.stringify(record, null, 1)}\n`;
  await expect(text).toMatchFileSnapshot('data/proven.json');
});

it('a bundle from the record is the one that Cedar would have made, and Cedar is not loaded for it', async () => {
  expect(await makeBundle(files, never)).toEqual(await makeBundle(files, loadCedar, nothingProven));
});

it.each<[string, (file: PolicyFile) => PolicyFile]>([
  ['one byte more', (file) => ({ ...file, bytes: Buffer.concat([file.bytes, Buffer.from('\n')]) })],
  ['a forbid turned', (file) => ({ ...file, bytes: Buffer.from(file.bytes.toString().replace('\nforbid(', '\npermit(')) })],
  ["a company's own", (file) => ({ ...file, bytes: Buffer.from('@id("a") permit(principal, action, resource);') })],
])('%s: Cedar is asked', async (_name, changed) => {
  const shipped = files.find(({ bytes }) => bytes.includes('\nforbid(')) as PolicyFile;
  expect(changed(shipped).bytes.equals(shipped.bytes)).toBe(false);
  await expect(makeBundle([...files.filter((file) => file !== shipped), changed(shipped)], never)).rejects.toThrow('Cedar was asked');
});

it('a policy that does not validate is refused beside packs that do', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'proven-'));
  writeFileSync(path.join(dir, 'a.cedar'), '@id("a") permit(principal, action == Intramur::Action::"llm.invok", resource);');
  const own = await readPolicyFiles(dir, 'own');
  rmSync(dir, { recursive: true });
  await expect(makeBundle([...files, ...own])).rejects.toMatchObject({
    code: 'POLICY_INVALID',
    message: expect.stringContaining('did you mean "llm.invoke"?') as string,
  });
});

it('an id that is used in two files is refused', async () => {
  await expect(makeBundle([...files, ...files.slice(0, 1)])).rejects.toMatchObject({ code: 'POLICY_INVALID' });
});
