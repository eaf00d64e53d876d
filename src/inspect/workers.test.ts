// Large payloads are looked at in threads: with the same answer, without holding up others, and refused when a thread goes wrong.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { githubToken } from './detectors/github-checksum.ts';
import { buildDataIndex } from './exact/data-table.ts';
import { createInspector, createWorkers } from './index.ts';

const fingerprintKey = crypto.randomBytes(32);
const token = githubToken('ghp_', 5);
const prose = (bytes: number) =>
  'The result of the build is put into a cache, and then it is read for the next run.\n'.repeat(Math.ceil(bytes / 83));
const body = (bytes: string | Buffer, contentType = 'text/plain') => ({ bytes: Buffer.from(bytes), contentType, views: [] });

const workers = createWorkers({ fingerprints: undefined, fingerprintKey, most: 1 });
afterAll(() => workers.close());

describe('a payload that is looked at elsewhere', () => {
  const call = (parts: readonly string[]) => JSON.stringify({ messages: parts.map((content) => ({ role: 'user', content })) });
  it.each<[string, string | Buffer, string]>([
    ['text', `${prose(200_000)} ${token} ${prose(1000)}`, 'text/plain'],
    ['JSON', call([prose(200_000), `is ${token} right?`]), 'application/json'],
    [
      'gzip of base64',
      zlib.gzipSync(
        Buffer.from(`${crypto.randomBytes(90_000).toString('hex')}\n${Buffer.from(`it is ${token} and no other`).toString('base64')}`),
      ),
      '',
    ],
    [
      'a body that cannot be looked at',
      Buffer.concat([zlib.gzipSync(crypto.randomBytes(90_000)).subarray(0, 80_000), Buffer.alloc(5000, 0xff)]),
      '',
    ],
  ])('gives the same report: %s', async (_name, bytes, contentType) => {
    const [there, here] = await Promise.all(
      [{ workers }, {}].map((where) => createInspector({ fingerprintKey, ...where }).inspect(body(bytes, contentType))),
    );
    expect({ ...there, ms: 0 }).toEqual({ ...here, ms: 0 });
    expect(there?.refused?.code ?? there?.labels[0]).toBe(_name.includes('cannot') ? 'INSPECT_FAILED' : 'secret');
  });

  it('is remembered, so that what follows is looked at here', async () => {
    const ending = createWorkers({ fingerprints: undefined, fingerprintKey, most: 1 });
    const inspector = createInspector({ fingerprintKey, workers: ending });
    const first = [prose(200_000), `The key is ${token} for now.`, prose(4000)];
    await inspector.inspect(body(call(first), 'application/json'), { session: 's' });
    await ending.close();
    const { labels, refused } = await inspector.inspect(body(call([...first, 'And this?']), 'application/json'), { session: 's' });
    expect([labels, refused]).toEqual([['secret'], undefined]);
  });

  it('is looked at for the people and the secrets that the company named, and for what is opaque', async () => {
    const entry = { name: 'people', path: '', classification: 'restricted', columns: ['mail'], with: [], rows: 0, values: 0 } as const;
    const { index: data } = buildDataIndex(Buffer.alloc(32, 5), [{ entry, rows: [['mail'], ['jane.roe@customer.example']] }]);
    const own = createWorkers({ fingerprints: undefined, data, fingerprintKey, most: 1 });
    const knownSecrets = [{ name: 'PIER', value: 'blue and wet 7' }];
    const secret = Buffer.from('it is blue and wet 7').toString('base64');
    const text = `${prose(100_000)} jane.roe@customer.example ${secret} ${prose(1000)} ${crypto.randomBytes(3000).toString('base64')}`;
    const [there, here] = await Promise.all(
      [{ workers: own }, {}].map((where) => createInspector({ fingerprintKey, data, ...where }).inspect(body(text), { knownSecrets })),
    );
    await own.close();
    expect({ ...there, ms: 0 }).toEqual({ ...here, ms: 0 });
    expect(there).toMatchObject({ classification: 'restricted', labels: ['secret', 'pii'], isOpaque: true });
  });

  it('leaves the placeholders of the product alone', async () => {
    const own = createInspector({ fingerprintKey, workers, isPlaceholder: (value) => value === token });
    expect((await own.inspect(body(`${prose(100_000)} ${token}`))).findings).toEqual([]);
  });

  it('lets others go on meanwhile', async () => {
    const inspector = createInspector({ fingerprintKey, workers });
    const large = inspector.inspect(body(`${prose(30 << 20)} ${token}`));
    let turns = 0;
    let isDone = false;
    void large.then(() => (isDone = true));
    while (!isDone) {
      expect((await inspector.inspect(body(`is ${token} right?`))).labels).toEqual(['secret']);
      await new Promise((resolve) => setTimeout(resolve, 2));
      turns += 1;
    }
    expect((await large).labels).toEqual(['secret']);
    expect(turns).toBeGreaterThan(20);
  }, 60_000);
});

describe('a little that unfolds to much', () => {
  const watched = () => {
    const sizes: number[] = [];
    const look: typeof workers.look = (bytes, ...rest) => (sizes.push(bytes.length), workers.look(bytes, ...rest));
    return { sizes, inspector: createInspector({ fingerprintKey, workers: { ...workers, look } }) };
  };
  const pieces = `${'%41%42 &#65; \\x41 '.repeat(100_000)} ${token} `;
  const packed = zlib.zstdCompressSync(pieces);

  it('is looked at elsewhere, with the same report', async () => {
    const { sizes, inspector } = watched();
    const { ms: _there, ...there } = await inspector.inspect(body(packed, ''));
    const { ms: _here, ...here } = await createInspector({ fingerprintKey }).inspect(body(packed, ''));
    expect(there).toEqual(here);
    expect([there.labels, sizes]).toEqual([['secret'], [packed.length]]);
  });

  it.each([
    ['unfolds', packed.toString('base64')],
    ['is much', pieces],
  ])('also what stands outside the body, when it %s', async (_name, text) => {
    const { sizes, inspector } = watched();
    const outside = { ...body('hello'), views: ['a header', text] };
    const { ms: _there, ...there } = await inspector.inspect(outside);
    const { ms: _here, ...here } = await createInspector({ fingerprintKey }).inspect(outside);
    expect(there).toEqual(here);
    expect([there.labels, sizes.length]).toEqual([['secret'], 1]);
  });

  it('is refused when it is too much there too, and looked at here when it is little', async () => {
    const { sizes, inspector } = watched();
    const bomb = zlib.zstdCompressSync(Buffer.alloc(400 << 20, 'a '));
    expect((await inspector.inspect(body(bomb, ''))).refused?.code).toBe('INSPECT_LIMIT');
    expect(sizes).toHaveLength(1);
    expect((await inspector.inspect(body(zlib.zstdCompressSync(`${prose(100_000)} ${token}`), ''))).labels).toEqual(['secret']);
    expect(sizes).toHaveLength(1);
  });
});

describe('a thread that goes wrong makes a refusal, and the next payload is looked at', () => {
  it.each<[string, string]>([
    ['throw', 'INSPECT_FAILED'],
    ['exit', 'INSPECT_FAILED'],
    ['memory', 'INSPECT_FAILED'],
    ['hang', 'INSPECT_LIMIT'],
  ])(
    '%s',
    async (fault, code) => {
      const faulty = createWorkers({
        fingerprints: undefined,
        fingerprintKey,
        most: 1,
        maxHeapMb: 32,
        limits: { maxMs: fault === 'hang' ? 0 : 60_000 },
        program: new URL('./testdata/faulty-worker.ts', import.meta.url),
      });
      const inspector = createInspector({ fingerprintKey, workers: faulty });
      const [wrong, right] = await Promise.all([`${prose(100_000)} ${fault}`, prose(100_000)].map((text) => inspector.inspect(body(text))));
      expect([wrong?.refused?.code, wrong?.refused?.reason.includes('payload text'), right?.refused]).toEqual([code, false, undefined]);
      await faulty.close();
    },
    60_000,
  );

  it('more than can wait is refused, not kept', async () => {
    const slow = createWorkers({
      fingerprints: undefined,
      fingerprintKey,
      most: 1,
      program: new URL('./testdata/faulty-worker.ts', import.meta.url),
    });
    const inspector = createInspector({ fingerprintKey, workers: slow });
    const reports = Promise.all(Array.from({ length: 70 }, () => inspector.inspect(body(`${prose(100_000)} hang`))));
    setTimeout(() => void slow.close(), 500);
    const codes = (await reports).map(({ refused }) => refused?.code);
    expect(codes.filter((code) => code === 'INSPECT_LIMIT').length).toBe(5);
    expect(codes.filter((code) => code === 'INSPECT_FAILED').length).toBe(65);
  }, 60_000);
});
