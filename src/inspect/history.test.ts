// What a session was told before must not hide what it is told now: a payload is sent once broken, so that it is noise, and once whole.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readJson } from './decode/json.ts';
import { createHistory } from './history.ts';
import { createInspector, createWorkers } from './index.ts';

const token = ['xoxb', '123456789012', '123456789012', 'aB3dE5fG7hJ9kL1mN3pQ5rS7'].join('-');
const line = (i: number) =>
  `Line ${i} of the log says that the build is done and the result of it was put into the cache for the next run.`;
const lines = (count: number) => Array.from({ length: count }, (_, i) => line(i));
/** The token stands far behind the first line, out of reach of what is looked at again around a change. */
const secret = Buffer.from(`${lines(60).join('\n')}\ntoken ${token}\n${lines(20).join('\n')}`);

const json = (parts: readonly string[]) => ({
  bytes: Buffer.from(
    JSON.stringify({ messages: [{ role: 'user', content: [...lines(400), ...parts].map((text) => ({ type: 'text', text })) }] }),
  ),
  contentType: 'application/json',
  views: [],
});
const text = (parts: readonly string[]) => ({
  bytes: Buffer.from([...lines(400), ...parts].join('\n')),
  contentType: 'text/plain',
  views: [],
});
const inLines = (encoded: string) => encoded.match(/.{1,76}/g) ?? [];

describe('a change before a secret that was noise so far', () => {
  const encodings = { base64: inLines(secret.toString('base64')), hex: inLines(secret.toString('hex')) };
  for (const [form, make] of Object.entries({ json, text })) {
    for (const [encoding, whole] of Object.entries(encodings)) {
      it.each([1, 2, 3])(`${encoding} in ${form}, first sent without its first %d characters`, async (missing) => {
        const inspector = createInspector();
        const [first = '', ...rest] = whole;
        await inspector.inspect(make([first.slice(missing), ...rest]), { session: 's' });
        const { labels } = await inspector.inspect(make(whole), { session: 's' });
        expect(labels).toContain('secret');
      });
    }
  }
});

it('pieces of something packed that come one by one, with words between, are put together', async () => {
  const noise = Array.from({ length: 60 }, (_, i) => crypto.hash('sha256', String(i))).join(' ');
  const packed = zlib.gzipSync(`${noise} token ${token} `).toString('base64');
  const pieces = packed.match(/.{1,60}/g) ?? [];
  const inspector = createInspector();
  const said: string[] = [];
  let found: readonly string[] = [];
  for (const piece of pieces) {
    said.push(piece, line(said.length), `${line(said.length)} And this is what was left of it.`);
    ({ labels: found } = await inspector.inspect(json(said), { session: 's' }));
  }
  expect([pieces.length > 40, found]).toEqual([true, ['secret']]);
});

it('a conversation that grows is still looked at only where it is new', async () => {
  const clock = { looks: 0 };
  const inspector = createInspector({ isPlaceholder: () => ((clock.looks += 1), false) });
  const said = [`The key is ${token} for now, and it is not to be used by others.`, ...lines(40)];
  await inspector.inspect(json(said), { session: 's' });
  clock.looks = 0;
  const { labels } = await inspector.inspect(json([...said, 'And one more thing that the user said to the model.']), { session: 's' });
  expect([labels, clock.looks]).toEqual([['secret'], 0]);
});

it('a conversation that grows to twenty times what it was has the report that it has at once', async () => {
  const inspector = createInspector();
  const said = [`The key is ${token} for now, and it is not to be used by others.`];
  for (let step = 0; step < 12; step++) {
    said.push(...lines(700), `The key of step ${step} is ${token}, and it is not to be used by others.`);
    const { labels, findings } = await inspector.inspect(json(said), { session: 's' });
    expect([labels, findings.length]).toEqual([['secret'], step + 2]);
  }
});

it('what is no UTF-8 is refused wherever it is new, again and again, and what is mended is not', async () => {
  const inspector = createInspector();
  const inspect = async (more: string) => {
    const bytes = Buffer.concat([json([line(1)]).bytes.subarray(0, -5), Buffer.from(`${more}"}]}]}`, 'latin1')]);
    return (await inspector.inspect({ bytes, contentType: 'application/json', views: [] }, { session: 's' })).refused?.reason;
  };
  const broken = 'the text is not valid UTF-8';
  const reasons = [];
  for (const more of ['', ' \xff', ' \xff', ' and so on', ' and so on', ' and so on \xe9', '']) reasons.push(await inspect(more));
  expect(reasons).toEqual([undefined, broken, broken, undefined, undefined, broken, undefined]);
});

describe('a change in the middle of something compressed that could not be read so far', () => {
  const noise = Array.from({ length: 900 }, (_, i) => `${line(i)} ${crypto.hash('sha256', String(i)).slice(0, 24)}`).join('\n');
  const packed = zlib.deflateSync(`${noise}\ntoken ${token}\n`);
  const rows = Array.from({ length: Math.ceil(packed.length / 16) }, (_, i) => {
    const pairs =
      packed
        .subarray(i * 16, i * 16 + 16)
        .toString('hex')
        .match(/.{1,4}/g) ?? [];
    return `${(i * 16).toString(16).padStart(8, '0')}: ${pairs.join(' ').padEnd(39)}  as text, if}`;
  });
  const code = lines(200).map((text, i) => `if (the.value === ${i}) { return new Data(${i}); } // ${text} {`);

  it.each<[string, readonly string[], (row: string) => string]>([
    ['hexadecimal in lines', inLines(packed.toString('hex')), (row) => `${row.slice(0, 30)}00${row.slice(32)}`],
    ['base64 in lines', inLines(packed.toString('base64')), (row) => `${row.slice(0, 30)}AA${row.slice(32)}`],
    ['a dump', rows, (row) => row.replace(/: ..../, ': 0000')],
  ])('%s', async (_name, whole, spoil) => {
    const inspector = createInspector();
    const half = Math.floor(whole.length / 2);
    const broken = whole.map((row, i) => (i === half ? spoil(row) : row));
    const call = (encoded: readonly string[]) => json([[...code, ...encoded].join('\n')]);
    const first = await inspector.inspect(call(broken), { session: 's' });
    const second = await inspector.inspect(call(whole), { session: 's' });
    expect([first.labels, second.labels]).toEqual([[], ['secret']]);
  });
});

it('what is new is looked at from a line on that stands a little before it, also within one long text', async () => {
  const code = lines(400).map((text, i) => `if (the.value === ${i}) { return new Data(${i}); } // ${text} {`);
  const call = (parts: readonly string[]) => json([parts.join('\n')]);
  const looks: number[] = [];
  const inspector = createInspector({ isPlaceholder: (value) => value.length > 0 && looks.push(value.length) > 0 && false });
  await inspector.inspect(call([`key ${token}`, ...code]), { session: 's' });
  looks.length = 0;
  const { labels, findings } = await inspector.inspect(call([`key ${token}`, ...code, `and ${token}`]), { session: 's' });
  expect([labels, findings.length, looks.length]).toEqual([['secret'], 2, 1]);
});

describe('what is new and too large to be looked at by a thread that serves others', () => {
  const fingerprintKey = crypto.randomBytes(32);
  const workers = createWorkers({ fingerprints: undefined, fingerprintKey, most: 1 });
  afterAll(() => workers.close());
  const watched = () => {
    const sizes: number[] = [];
    const look: typeof workers.look = (bytes, ...rest) => (sizes.push(bytes.length), workers.look(bytes, ...rest));
    return { sizes, inspector: createInspector({ fingerprintKey, workers: { ...workers, look } }) };
  };
  const body = (texts: readonly string[], spoil = (json: string) => json) => {
    const messages = texts.map((content) => ({ role: 'user', content }));
    return { bytes: Buffer.from(spoil(JSON.stringify({ messages }))), contentType: 'application/json', views: [] };
  };
  const before = [`It was ${token} until today.`, ...Array.from({ length: 300 }, () => lines(40).join('\n'))];
  const large = [...lines(700), `and now it is ${token.replace('aB3', 'cD4')}`, ...lines(700)].join('\n');

  it.each([
    ['behind everything', [...before, large]],
    ['in the middle', [...before.slice(0, 150), large, ...before.slice(150)]],
  ])('is looked at elsewhere without what was looked at before: %s', async (_where, texts) => {
    const { sizes, inspector } = watched();
    await inspector.inspect(body(before), { session: 's' });
    const { ms: _ms, ...second } = await inspector.inspect(body(texts), { session: 's' });
    const { ms: _cold, ...cold } = await createInspector({ fingerprintKey }).inspect(body(texts));
    expect(second).toEqual(cold);
    expect(cold.findings).toHaveLength(2);
    expect(sizes[0]).toBeGreaterThan(1_000_000);
    expect(sizes.slice(1)).toEqual([expect.toSatisfy((size: number) => size > 64 << 10 && size < 250_000)]);
    // And what comes next stands where it is then.
    const more = [...texts, `one more: ${token}`];
    const { ms: _third, ...third } = await inspector.inspect(body(more), { session: 's' });
    const { ms: _again, ...whole } = await createInspector({ fingerprintKey }).inspect(body(more));
    expect(third).toEqual(whole);
    expect(sizes).toHaveLength(2);
  });

  it('a quote in it that turns inside out what stands behind it: all is looked at', async () => {
    const { sizes, inspector } = watched();
    const broken = body([...before.slice(0, 150), `${large} QUOTE`, ...before.slice(150)], (json) => json.replace(' QUOTE', ' "'));
    await inspector.inspect(body(before), { session: 's' });
    const { ms: _ms, ...second } = await inspector.inspect(broken, { session: 's' });
    const { ms: _cold, ...cold } = await createInspector({ fingerprintKey }).inspect(broken);
    expect(second).toEqual(cold);
    expect(sizes).toHaveLength(3);
  });
});

describe('places for a cut that all look right and are not: only some are tried', () => {
  const many = 20_000;
  const row = `${'{ab:x '.repeat(5)}{`;
  it.each<[string, readonly string[], readonly string[]]>([
    ['lines of one text', [`${row}\n`.repeat(many)], []],
    ['texts before', Array.from({ length: many }, () => row), []],
    ['texts behind', [line(1)], Array.from({ length: many }, () => `word ${'{ab:x '.repeat(5)}`)],
  ])('%s', (_name, before, behind) => {
    const history = createHistory<string>();
    const call = (changed: string) => Buffer.from(JSON.stringify([...before, 'x'.repeat(4000), changed, 'x'.repeat(4000), ...behind]));
    const first = call('it was');
    history.remember('s', first, '', readJson(first).spans.slice(), undefined);
    // Of each place that is tried a part is taken.
    const taken = vi.spyOn(Buffer.prototype, 'subarray');
    const second = call('it is');
    history.changeSince('s', second);
    const { length } = taken.mock.calls;
    taken.mockRestore();
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(200);
  });
});
