// A large body is looked at in two halves: with the report that it has as a whole, and as a whole where halves cannot tell.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { githubToken } from './detectors/github-checksum.ts';
import { createInspector, createWorkers } from './index.ts';
import type { Workers } from './workers.ts';

const fingerprintKey = crypto.randomBytes(32);
const token = githubToken('ghp_', 5);
const workers = createWorkers({ fingerprints: undefined, fingerprintKey, most: 2 });
afterAll(() => workers.close());

const line = (i: number) => `The result of build ${i % 9} is put into a cache, and then it is read for the next run of the tests.`;
const prose = (lines: number) => Array.from({ length: lines }, (_, i) => line(i)).join('\n');
const call = (texts: readonly string[]) => JSON.stringify({ messages: texts.map((content) => ({ role: 'user', content })) });
const privateKey = `-----BEGIN RSA PRIVATE KEY-----\n${crypto.randomBytes(4000).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END RSA PRIVATE KEY-----`;

/** What both say of a body, and how many bytes each thread had. */
async function bothOf(text: string) {
  const sizes: number[] = [];
  const look: Workers['look'] = (bytes, ...rest) => (sizes.push(bytes.length), workers.look(bytes, ...rest));
  const body = { bytes: Buffer.from(text), contentType: 'application/json', views: [] };
  const [halves, whole] = await Promise.all(
    [{ workers: { ...workers, look } }, {}].map((by) => createInspector({ fingerprintKey, ...by }).inspect(body)),
  );
  return { halves: { ...halves, ms: 0 }, whole: { ...whole, ms: 0 }, sizes };
}

beforeAll(async () => {
  for (const end = Date.now() + 20_000; workers.idle() < 2 && Date.now() < end; ) await bothOf(call([prose(3000)]));
});

describe('a body in halves', () => {
  it.each<[string, readonly string[]]>([
    ['one text', [`${prose(3000)} ${token}\n${prose(3000)}`]],
    ['short texts', Array.from({ length: 600 }, (_, i) => `${prose(8)}${i % 97 === 0 ? token : ''}`)],
    ['a secret of many lines in the middle', [prose(2970), privateKey, prose(3000)]],
    ['a secret in base64 at its beginning', [Buffer.from(`it is ${token} and no other`).toString('base64'), prose(6000)]],
    ['quotes and backslashes', Array.from({ length: 400 }, () => `${prose(9)} say "C:\\new\\" ", " \\\\" and\n${line(1)}\n`)],
  ])('has the report of the whole: %s', async (_name, texts) => {
    const text = call(texts);
    const { halves, whole, sizes } = await bothOf(text);
    expect(halves).toEqual(whole);
    expect(whole.labels).toEqual(texts.join('').includes(token) || texts.includes(privateKey) || texts.length === 2 ? ['secret'] : []);
    expect(sizes.length).toBe(2);
    expect(Math.max(...sizes)).toBeLessThan(0.6 * text.length);
  });

  it('finds a secret wherever it stands around the middle', async () => {
    for (let at = 2600; at < 3300; at += 50) {
      const { halves, whole } = await bothOf(call([`${prose(at)}\n${token}\n${prose(6000 - at)}`]));
      expect(halves).toEqual(whole);
      expect(halves.labels).toEqual(['secret']);
    }
  }, 60_000);

  it('is remembered as a whole', async () => {
    const inspector = createInspector({ fingerprintKey, workers });
    const texts = [`${prose(100)} ${token}`, prose(6000), prose(100)];
    const inspect = async (list: readonly string[]) =>
      await inspector.inspect({ bytes: Buffer.from(call(list)), contentType: 'application/json', views: [] }, { session: 's' });
    const first = await inspect(texts);
    const again = await inspect([...texts, 'And this?']);
    expect({ ...again, ms: 0, bytes: 0 }).toEqual({ ...first, ms: 0, bytes: 0 });
    expect(again.labels).toEqual(['secret']);
  });
});

describe('a body is looked at as a whole', () => {
  const hex = crypto.randomBytes(260_000).toString('hex');
  it.each<[string, string, readonly number[]]>([
    ['without a place to cut', call([hex]), [1]],
    ['when strings begin where none seem to', `{"a":"${'","'.repeat(100_000)}","b":"${prose(20)}","c":"${'","'.repeat(100_000)}"}`, [1, 3]],
    ['when a half is refused', call([zlib.gzipSync('x'.repeat(300 << 20)).toString('base64'), prose(6000)]), [3]],
  ])(
    '%s',
    async (_name, text, looks) => {
      const { halves, whole, sizes } = await bothOf(text);
      expect(halves).toEqual(whole);
      expect(looks).toContain(sizes.length);
      expect(sizes.at(-1)).toBe(Buffer.byteLength(text));
    },
    30_000,
  );

  it('in the time that the halves left of it', async () => {
    let clock = 0;
    const inspector = createInspector({ fingerprintKey, workers, nowMs: () => (clock += 20_000) });
    const packed = zlib.gzipSync('x'.repeat(300 << 20)).toString('base64');
    const bytes = Buffer.from(call([packed, prose(6000)]));
    const { refused } = await inspector.inspect({ bytes, contentType: 'application/json', views: [] });
    expect(refused).toEqual({ code: 'INSPECT_LIMIT', reason: 'inspection took longer than 10000 ms' });
  }, 30_000);

  it('when the halves together find too much', async () => {
    // A place to cut is one around which no piece of an encoding stands.
    const isFree = (i: number) => i > 3300 && i < 3900;
    const lines = Array.from({ length: 7200 }, (_, i) => (isFree(i) ? line(i) : `${githubToken('ghp_', i)} ${line(i)}`));
    const { halves, whole, sizes } = await bothOf(call([lines.join('\n')]));
    expect(halves.refused).toEqual(whole.refused);
    expect([halves.refused?.code, sizes.length]).toEqual(['INSPECT_LIMIT', 3]);
  }, 30_000);
});
