// `inspect` and `index` as people and scripts use them.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { run as index } from './index-command.ts';
import { run as inspect } from './inspect.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-cli-'));
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

// Made here, so that no scanner takes this file for a leak.
const key = `AKIA${'ABCD2345EFGH6723'}`;

// What `xz` makes, to somebody who cannot unpack it.
const xz = Buffer.concat([Buffer.from('fd377a585a000004e6d6b446', 'hex'), crypto.randomBytes(400)]);

async function call(command: typeof inspect, args: readonly string[], input: string | Readable = '') {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const stdin = typeof input === 'string' ? Readable.from([Buffer.from(input)]) : input;
  const code = await command(args, { stdout, stderr, stdin, env: { INTRAMUR_HOME: home }, cwd: home, home });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('inspect', () => {
  it('answers in JSON with the fields of the contract, and exits 1 on a finding', async () => {
    const { code, out } = await call(inspect, ['-', '--json'], `key ${key}\n`);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      schema: 'intramur/inspect/1',
      bytes: 25,
      classification: 'public',
      labels: ['secret'],
      findings: [
        { kind: 'secret', tier: 'block', detector: 'aws-access-token', view: [], start: 4, end: 24, redacted: expect.any(String) },
      ],
      ms: expect.any(Number),
    });
    expect(out).not.toContain(key);
  });

  it('exits 0 when there is nothing to say, 1 when not everything could be looked at', async () => {
    expect((await call(inspect, [], 'hello')).code).toBe(0);
    const broken = Readable.from([Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255, 255, 255])]);
    const { code, out } = await call(inspect, ['--json', '-'], broken);
    expect([code, JSON.parse(out).refused.code]).toEqual([1, 'INSPECT_FAILED']);
  });

  it('says that a part could not be read, and does not call that done', async () => {
    const { code, out } = await call(inspect, [], Readable.from([xz]));
    expect([code, out.split('\n')]).toEqual([
      1,
      [`standard input: ${xz.length} bytes, 0 findings, class public`, expect.stringMatching(/^ {2}part of it could not be read/), ''],
    ]);
    const json = await call(inspect, ['--json'], Readable.from([xz]));
    expect([json.code, JSON.parse(json.out)]).toMatchObject([1, { isOpaque: true, findings: [] }]);
  });

  it('names a picture in a text, which leaves the text what it is', async () => {
    const picture = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(900, 0xc3)]).toString('base64');
    const { code, out } = await call(inspect, [], `a picture: data:image/png;base64,${picture} and so on`);
    expect([code, out.split('\n')[1]]).toEqual([0, expect.stringMatching(/^ {2}part of it could not be read/)]);
  });

  it.each<[string, string, string | undefined]>([
    ['a whole call', '{"model":"m","messages":[]}', undefined],
    ['one that is cut off', `{"model":"m","messages":[{"role":"user","content":"hel`, 'DIALECT_INVALID'],
    ['a key twice', '{"model":"a","model":"b"}', 'DIALECT_INVALID'],
    ['no object', '[1]', 'DIALECT_INVALID'],
  ])('of a dialect: %s', async (_name, body, code) => {
    const asked = await call(inspect, ['--json', '--as', 'http-body', '--dialect', 'anthropic-messages'], body);
    expect([asked.code, JSON.parse(asked.out).refused?.code]).toEqual([code === undefined ? 0 : 1, code]);
    // Text about a call need not be one.
    expect((await call(inspect, ['--json', '--as', 'http-body'], body)).code).toBe(0);
  });

  it('what a call that is cut off holds is found all the same', async () => {
    const { out } = await call(inspect, ['--json', '--as', 'http-body', '--dialect', 'gemini'], `{"a":"${key}`);
    expect(JSON.parse(out)).toMatchObject({ labels: ['secret'], refused: { code: 'DIALECT_INVALID' } });
  });

  it('looks for personal data where the configuration asks for it', async () => {
    const text = 'transfer to DE89 3704 0044 0532 0130 00, card 4539 1488 0343 6467';
    expect((await call(inspect, ['--json'], text)).code).toBe(0);
    const file = path.join(home, 'intramur.yaml');
    fs.writeFileSync(file, 'inspect: { personalData: on }\n');
    const asked = await call(inspect, ['--json'], text);
    fs.writeFileSync(file, 'inspect: { personalData: yes }\n');
    await expect(call(inspect, ['--json'], text)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    fs.rmSync(file);
    expect(asked.code).toBe(1);
    expect(JSON.parse(asked.out)).toMatchObject({ labels: ['pii'], findings: [{ detector: 'iban' }, { detector: 'payment-card' }] });
  });

  it('answers lines one by one while the input is still open', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const done = inspect(['--jsonl'], { stdout, stderr: new PassThrough(), stdin, env: { INTRAMUR_HOME: home }, cwd: home, home });
    const answer = () =>
      new Promise<Record<string, unknown>>((resolve) => stdout.once('data', (line) => resolve(JSON.parse(String(line)))));
    const lines: [string, object][] = [
      [JSON.stringify({ id: 1, text: key }), { id: 1, labels: ['secret'] }],
      ['not json', { id: null, refused: { code: 'INSPECT_FAILED', reason: 'the line is not JSON' } }],
      [JSON.stringify({ id: 'b', messages: ['a', key] }), { id: 'b', labels: ['secret'] }],
      [JSON.stringify({ id: 3, http: { method: 'GET', url: `/?k=${key}`, headers: {} } }), { id: 3, labels: ['secret'] }],
      [
        JSON.stringify({
          id: 4,
          http: {
            method: 'POST',
            url: '/',
            headers: { 'content-type': 'application/json' },
            bodyBase64: Buffer.from(JSON.stringify({ a: key })).toString('base64'),
          },
        }),
        { id: 4, labels: ['secret'] },
      ],
      [JSON.stringify({ id: 5 }), { id: 5, refused: expect.anything() }],
      [JSON.stringify({ id: 6, text: 'hello' }), { id: 6, labels: [], findings: [] }],
    ];
    for (const [line, expected] of lines) {
      const next = answer();
      stdin.write(`${line}\n`);
      expect(await next).toMatchObject({ schema: 'intramur/inspect/1', ...expected });
    }
    stdin.end();
    expect(await done).toBe(1);
  });

  const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');
  const http = (members: object) => JSON.stringify({ id: 1, http: members });
  const coded = (coding: string, body: Buffer) => http({ headers: { 'content-encoding': coding }, bodyBase64: base64(body) });
  const lines = async (...input: readonly (string | Buffer)[]) => {
    const { code, out } = await call(
      inspect,
      ['--jsonl'],
      Readable.from([Buffer.concat(input.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]))]),
    );
    return {
      code,
      answers: out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    };
  };

  it.each<[string, string | Buffer]>([
    ['two contents', JSON.stringify({ id: 1, text: 'a', messages: [key] })],
    ['a content of another kind', JSON.stringify({ id: 1, text: ['a'] })],
    ['a member that nobody knows', JSON.stringify({ id: 1, text: 'a', message: key })],
    ['a member of http that nobody knows', http({ body: 'a', data: key })],
    ['two bodies', http({ body: key, bodyBase64: 'YQ==' })],
    ['a body that is no text', http({ body: { a: key } })],
    ['what is no base64', http({ bodyBase64: '%%%' })],
    ['base64 with something behind it', http({ bodyBase64: `YQ==${key}` })],
    ['base64 that lacks a character', http({ bodyBase64: 'YWJjZ' })],
    ['a header with three parts', http({ headers: [['a', 'b', key]], body: '' })],
    ['two types of one body', http({ headers: { 'content-type': ['text/plain', 'application/json'] }, body: '{}' })],
    ['a session that is no text', JSON.stringify({ id: 1, text: 'a', session: { a: key } })],
    ['a member twice', `{"id":1,"text":${JSON.stringify(key)},"text":"a"}`],
    ['bytes that are no UTF-8', Buffer.from('{"id":1,"text":"\xff"}', 'latin1')],
    ['brotli that is none', coded('br', Buffer.from(key))],
    ['gzip that is none', coded('gzip', Buffer.from('hello'))],
    ['gzip that breaks off', coded('gzip', zlib.gzipSync(`${'hello '.repeat(99)}${key}`).subarray(0, 30))],
    ['something behind zlib', coded('deflate', Buffer.concat([zlib.deflateSync('a'), zlib.deflateSync(key)]))],
    ['a coding that nobody knows', coded('aws-chunked', Buffer.from('5\r\nhello\r\n0\r\n'))],
    ['one coding of two', coded('gzip, br', zlib.gzipSync('hello'))],
    ['more than may be looked at', coded('br', zlib.brotliCompressSync(Buffer.alloc(65 << 20)))],
  ])('%s on a line: refused, and the next one is answered', async (_name, line) => {
    const { code, answers } = await lines(line, JSON.stringify({ id: 2, text: 'a' }));
    expect(code).toBe(1);
    expect(answers).toMatchObject([{ findings: [], refused: { code: expect.stringMatching(/^INSPECT_(FAILED|LIMIT)$/) } }, { id: 2 }]);
    expect(answers[1].refused).toBeUndefined();
    expect(JSON.stringify(answers)).not.toContain(key);
  });

  it.each<[string, string, readonly string[]]>([
    ['gzip', coded('gzip', zlib.gzipSync(key)), ['gzip']],
    ['brotli too short to be guessed', coded('BR', zlib.brotliCompressSync(JSON.stringify([1, key]))), ['brotli']],
    ['zlib', coded('deflate', zlib.deflateSync(key)), ['zlib']],
    ['raw deflate', coded('deflate', zlib.deflateRawSync(key)), ['deflate']],
    ['zstd', coded('zstd', zlib.zstdCompressSync(key)), ['zstd']],
    ['two codings', coded('gzip, identity, br', zlib.brotliCompressSync(zlib.gzipSync(key))), ['brotli', 'gzip']],
    ['base64 in it', coded('gzip', zlib.gzipSync(`see ${base64(`a ${key} b`)} ok`)), ['gzip', 'base64']],
  ])('takes off the coding of a body: %s', async (_name, line, view) => {
    const { answers } = await lines(line);
    const { bytes, findings } = answers[0];
    expect(findings).toMatchObject([{ detector: 'aws-access-token', view, start: 0, end: bytes }]);
    expect(bytes).toBe(Buffer.from(JSON.parse(line).http.bodyBase64, 'base64').length);
  });

  it('takes members that are null for absent, and a line separator within a text for no end of the line', async () => {
    const { code, answers } = await lines(
      JSON.stringify({ id: null, session: null, text: 'a\u2028b', messages: null, http: null }),
      http({ method: 'POST', url: '/', headers: null, body: null, bodyBase64: null }),
    );
    expect([code, answers.map(({ refused }) => refused)]).toEqual([0, [undefined, undefined]]);
    expect((await lines(http({ method: key }))).answers[0].labels).toEqual(['secret']);
  });

  it.each([[['--as', 'picture']], [['a', 'b']], [['--dialect', 'morse']], [['--nope']], [['--json', '--jsonl']]])(
    '%j is a wrong use',
    async (args) => {
      await expect(call(inspect, args)).rejects.toMatchObject({ code: 'USAGE' });
    },
  );

  it('does not read for ever, nor into all memory, what has no end', { timeout: 60_000 }, async () => {
    const { code, out } = await call(inspect, ['/dev/zero', '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([1, { refused: { code: 'INSPECT_LIMIT' }, findings: [] }]);
  });

  it('names a file that is not there', async () => {
    for (const more of [[], ['--jsonl']]) {
      const code = 'CONFIG_NOT_FOUND';
      const missing = { code, message: 'cannot read "missing.txt": there is no such file or directory' };
      await expect(call(inspect, ['missing.txt', ...more])).rejects.toMatchObject(missing);
      await expect(call(inspect, [home, ...more])).rejects.toMatchObject({ code, message: `cannot read "${home}": it is a directory` });
    }
  });
});

describe('index', () => {
  const code = Array.from(
    { length: 30 },
    (_, i) => `const harbour${i}Fee = berthTariff(${i}, cargoOf(voyage, manifest${i}), pilotRate * quota${i});`,
  ).join('\n');

  it('adds, builds, lists, is used by inspect, and removes', async () => {
    const repository = path.join(home, 'core');
    fs.mkdirSync(repository, { recursive: true });
    fs.writeFileSync(path.join(repository, 'fees.ts'), code);
    await expect(call(index, ['add', 'nowhere', '--classification', 'internal'])).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
    for (const name of ['', ' ', 'a\u202eb', 'a\nb'])
      await expect(call(index, ['add', 'core', '--classification', 'confidential', '--name', name])).rejects.toMatchObject({
        code: 'USAGE',
      });
    expect((await call(index, ['add', 'core', '--classification', 'confidential'])).code).toBe(0);
    const built = await call(index, ['build', '--json']);
    expect(built.code).toBe(0);
    const { out } = await call(index, ['list', '--json']);
    expect(built.out).toBe(out);
    expect(JSON.parse(out)).toEqual({
      schema: 'intramur/index/1',
      repositories: [
        {
          name: 'core',
          path: repository,
          classification: 'confidential',
          files: 1,
          lines: 30,
          entries: expect.any(Number),
          bytes: expect.any(Number),
          builtAt: expect.any(String),
        },
      ],
    });
    const report = JSON.parse((await call(inspect, ['--json'], code.slice(0, 1200))).out);
    expect([report.classification, report.labels, report.findings[0].repository, report.findings[0].document]).toEqual([
      'confidential',
      ['source'],
      'core',
      'fees.ts',
    ]);
    expect((await call(index, ['remove', 'core'])).code).toBe(0);
    expect((await call(index, ['build'])).code).toBe(0);
    expect(JSON.parse((await call(inspect, ['--json'], code)).out).findings).toEqual([]);
  });

  it('says when a registration lowers a class, and only then', async () => {
    fs.mkdirSync(path.join(home, 'low'), { recursive: true });
    const add = async (...args: string[]) =>
      (await call(index, ['add', 'low', ...args])).err.split('\n').filter((line) => line.includes('lowered'));
    expect(await add('--classification', 'restricted')).toEqual([]);
    expect(await add('--classification', 'restricted')).toEqual([]);
    expect(await add('--classification', 'internal')).toEqual(['intramur: low was registered as restricted; it is lowered to internal']);
    expect(await add('--classification', 'internal', '--part', 'src=restricted')).toEqual([]);
    expect(await add('--classification', 'internal')).toEqual(['intramur: low was registered as restricted; it is lowered to internal']);
    expect((await call(index, ['remove', 'low'])).code).toBe(0);
  });

  it('builds the rest when a repository is gone, keeps what was read of it, and says which', async () => {
    for (const name of ['gone', 'stays']) {
      fs.mkdirSync(path.join(home, name), { recursive: true });
      fs.writeFileSync(
        path.join(home, name, 'fees.ts'),
        name === 'gone' ? code : code.replaceAll('harbour', 'warehouse').replaceAll('berth', 'shelf'),
      );
      await call(index, ['add', name, '--classification', 'confidential']);
    }
    fs.writeFileSync(path.join(home, 'people.csv'), 'email\nada@harbour.example\n');
    await call(index, ['add', 'people.csv', '--classification', 'restricted', '--columns', 'email']);
    expect((await call(index, ['build'])).code).toBe(0);
    fs.rmSync(path.join(home, 'gone'), { recursive: true });
    fs.rmSync(path.join(home, 'people.csv'));
    fs.writeFileSync(path.join(home, 'stays', 'more.ts'), code.replaceAll('harbour', 'pilotage').replaceAll('berth', 'buoy'));
    const { code: exit, err } = await call(index, ['build']);
    expect([exit, err]).toEqual([1, expect.stringContaining(`gone is missing: ${path.join(home, 'gone')} is no directory`)]);
    expect(err).toContain('the table "people", is not there; the tables stay as they were');
    const { repositories } = JSON.parse((await call(index, ['list', '--json'])).out);
    expect(repositories.map(({ name, files }: { name: string; files: number }) => [name, files])).toEqual([
      ['gone', 1],
      ['stays', 2],
    ]);
    expect(JSON.parse((await call(inspect, ['--json'], code.slice(0, 1200))).out).classification).toBe('confidential');
    for (const name of ['gone', 'stays', 'people']) await call(index, ['remove', name]);
    expect((await call(index, ['build'])).code).toBe(0);
  });

  it.each([
    [[]],
    [['shine']],
    [['add', 'x']],
    [['add', 'x', '--classification', 'secretish']],
    [['add', 'x', '--classification', 'internal', '--part', 'docs']],
  ])('%j is a wrong use', async (args) => {
    await expect(call(index, args)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
