// `inspect` and `index` as people and scripts use them.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { run as index } from './index-command.ts';
import { run as inspect } from './inspect.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-cli-'));
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

// Made here, so that no scanner takes this file for a leak.
const key = `AKIA${'ABCD2345EFGH6723'}`;

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

  it.each([[['--as', 'picture']], [['a', 'b']], [['--dialect', 'morse']], [['--nope']], [['--json', '--jsonl']]])(
    '%j is a wrong use',
    async (args) => {
      await expect(call(inspect, args)).rejects.toMatchObject({ code: 'USAGE' });
    },
  );

  it('names a file that is not there', async () => {
    await expect(call(inspect, ['missing.txt'])).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
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
    expect((await call(index, ['add', 'core', '--classification', 'confidential'])).code).toBe(0);
    expect((await call(index, ['build'])).code).toBe(0);
    const { out } = await call(index, ['list', '--json']);
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
