import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../core/index.ts';
import { hashOf } from '../gateway/index.ts';
import { run } from './keys.ts';

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'keys-'));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

interface Ran {
  readonly code: number | string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function keys(...args: string[]): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';
  const io = { stdout, stderr, stdin: new PassThrough(), env: { INTRAMUR_HOME: home }, cwd: home, home };
  try {
    const code = await run(args, io);
    return { code, stdout: said(stdout), stderr: said(stderr) };
  } catch (fault) {
    return { code: codeOf(fault) ?? (fault as NodeJS.ErrnoException).code, stdout: said(stdout), stderr: (fault as Error).message };
  }
}

const file = (): string => path.join(home, 'state', 'keys.json');
const listed = async (): Promise<unknown> => JSON.parse((await keys('list', '--json')).stdout);

describe('keys add', () => {
  it('shows the key once and keeps its hash, for its owner alone', async () => {
    const { code, stdout } = await keys(
      'add',
      'ide',
      '--user',
      'alice',
      '--purpose',
      'research',
      '--budget',
      'requests=10,usd=1.5,per=week',
    );
    const key = stdout.trim();
    expect([code, key]).toEqual([0, expect.stringMatching(/^sk-intramur-[\w-]{43}$/)]);
    const stored = fs.readFileSync(file(), 'utf8');
    expect([stored.includes(key), stored.includes(hashOf(key)), fs.statSync(file()).mode & 0o777]).toEqual([false, true, 0o600]);
    expect(await listed()).toEqual({
      schema: 'intramur/keys/1',
      keys: [
        {
          id: 'ide',
          user: 'alice',
          team: null,
          tool: null,
          purpose: 'research',
          classification: 'public',
          budget: { requests: 10, usd: 1.5, per: 'week' },
          used: { requests: 0, tokens: 0, usd: 0 },
        },
      ],
    });
  });

  it.each([
    [[], /usage:/],
    [['a b'], /ID is a name/],
    [['../x'], /ID is a name/],
    [['x', '--purpose', 'play'], /--purpose is one of research, production/],
    [['x', '--classification', 'secret'], /--classification is one of/],
    [['x', '--budget', 'requests=-1'], /requests in --budget is a number/],
    [['x', '--budget', 'tokens=1.5'], /tokens in --budget is a number/],
    [['x', '--budget', 'coins=5'], /each part of --budget is one of/],
    [['x', '--budget', 'requests=5,per=year'], /per in --budget is one of/],
    [['x', '--budget', 'requests=5,requests=50'], /--budget says "requests" twice/],
    [['x', '--budget', 'requests=5=50'], /--budget says "requests" twice/],
    [['x', '--budget', 'per=day'], /--budget limits nothing/],
    [['x', '--user', 'a\nb'], /--user is a name/],
  ])('%j is a usage error and stores nothing', async (args, message) => {
    const { code, stderr, stdout } = await keys('add', ...args);
    expect([code, stdout, fs.existsSync(file())]).toEqual(['USAGE', '', false]);
    expect(stderr).toMatch(message);
  });

  it('refuses an id that is taken, by command or by configuration', async () => {
    fs.writeFileSync(path.join(home, 'intramur.yaml'), `keys: [ { id: ci, sha256: ${'a'.repeat(64)} } ]\n`);
    await keys('add', 'ide');
    for (const id of ['ide', 'ci'])
      expect(await keys('add', id)).toMatchObject({ code: 'USAGE', stdout: '', stderr: `there is a key "${id}" already` });
  });
});

describe('keys revoke', () => {
  it('takes one key and leaves the others', async () => {
    await keys('add', 'one');
    await keys('add', 'two');
    expect(await keys('revoke', 'one')).toMatchObject({ code: 0, stdout: 'revoked one\n' });
    expect(await listed()).toMatchObject({ keys: [{ id: 'two' }] });
  });

  it('names the nearest key, and says where a configured one stands', async () => {
    fs.writeFileSync(path.join(home, 'intramur.yaml'), `keys: [ { id: ci, sha256: ${'a'.repeat(64)} } ]\n`);
    await keys('add', 'laptop');
    expect((await keys('revoke', 'labtop')).stderr).toBe('there is no key "labtop"; did you mean "laptop"?');
    expect((await keys('revoke', 'ci')).stderr).toContain('stands in the configuration');
  });
});

it.each([
  ['not JSON', '{'],
  ['no list', '{}'],
  ['a key without hash', '{"keys":[{"id":"x"}]}'],
  ['an unknown purpose', `{"keys":[{"id":"x","sha256":"${'0'.repeat(64)}","purpose":"play"}]}`],
  ['a budget without period', `{"keys":[{"id":"x","sha256":"${'0'.repeat(64)}","budget":{"requests":1}}]}`],
])('a key file with %s is a configuration error, and is not written over', async (_name, text) => {
  fs.mkdirSync(path.dirname(file()), { recursive: true });
  fs.writeFileSync(file(), text);
  for (const args of [['list'], ['add', 'y'], ['revoke', 'x']]) expect((await keys(...args)).code).toBe('CONFIG_INVALID');
  expect(fs.readFileSync(file(), 'utf8')).toBe(text);
});
