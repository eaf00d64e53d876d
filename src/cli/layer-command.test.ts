// `diff`, `apply` and `discard` as a person or script calls them, over a layer made by hand.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../core/index.ts';
import * as apply from './apply.ts';
import * as diff from './diff.ts';
import * as discard from './discard.ts';

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-cli-layer-')));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

let home = '';
let workspace = '';
let count = 0;

beforeEach(async () => {
  home = path.join(scratch, String(count++));
  workspace = path.join(home, 'workspace');
  const session = path.join(home, 'state', 'sessions', 'first');
  fs.mkdirSync(path.join(workspace, 'src'), { recursive: true });
  fs.writeFileSync(path.join(workspace, 'src', 'a.ts'), 'old');
  await new Promise((resolve) => setTimeout(resolve, 20));
  fs.mkdirSync(path.join(session, 'upper', 'src'), { recursive: true });
  fs.mkdirSync(path.join(session, 'work'));
  fs.writeFileSync(
    path.join(session, 'manifest.json'),
    JSON.stringify({ session: 'first', workspace, startedAt: '2026-01-01T00:00:00.000Z' }),
  );
  fs.writeFileSync(path.join(session, 'upper', 'src', 'a.ts'), 'new text');
  fs.writeFileSync(path.join(session, 'upper', 'package.json'), '{}');
  fs.symlinkSync('/etc/passwd', path.join(session, 'upper', 'out'));
  fs.writeFileSync(path.join(session, 'upper', 'b\nM fake\u001b[2K'), 'x');
});

async function call(command: { run: typeof diff.run }, args: readonly string[], cwd = workspace) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await command.run(args, { stdout, stderr, stdin: new PassThrough(), env: { INTRAMUR_HOME: home }, cwd, home });
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('the layer of a session', () => {
  it('diff lists every change with its class, one line each whatever its name', async () => {
    const { code, out } = await call(diff, []);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'A b\\x0aM fake\\x1b[2K',
      'A out  [forbidden: a link that leaves the workspace]',
      'A package.json  [sensitive: a build or package manager runs it]',
      'M src/a.ts',
      '',
    ]);
  });

  it('diff --json holds the contract', async () => {
    const { out } = await call(diff, ['--json', '--only', 'src', 'package.json']);
    expect(JSON.parse(out)).toEqual({
      schema: 'intramur/diff/1',
      session: 'first',
      entries: [
        { path: 'package.json', change: 'added', class: 'sensitive', why: 'a build or package manager runs it', bytes: 2 },
        { path: 'src/a.ts', change: 'modified', class: 'code', why: '', bytes: 8 },
      ],
    });
  });

  it('apply without a terminal takes the code, names the rest and ends with 1', async () => {
    const { code, out } = await call(apply, ['first', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      schema: 'intramur/apply/1',
      session: 'first',
      applied: ['b\nM fake\u001b[2K', 'src/a.ts'],
      refused: [
        { path: 'out', why: 'a link that leaves the workspace' },
        { path: 'package.json', why: 'a build or package manager runs it' },
      ],
      conflicts: [],
    });
    expect(fs.readFileSync(path.join(workspace, 'src', 'a.ts'), 'utf8')).toBe('new text');
    expect(fs.existsSync(path.join(workspace, 'package.json'))).toBe(false);
  });

  it('apply --yes-sensitive takes what can run later, and never what is forbidden', async () => {
    expect((await call(apply, ['--yes-sensitive', '--only', 'package.json', 'src/a.ts'])).code).toBe(0);
    expect((await call(apply, ['--yes-sensitive'])).code).toBe(1);
    expect(fs.existsSync(path.join(workspace, 'package.json'))).toBe(true);
    expect(fs.existsSync(path.join(workspace, 'out'))).toBe(false);
  });

  it('a conflict is named, kept, and ends with 1', async () => {
    fs.writeFileSync(path.join(workspace, 'src', 'a.ts'), 'mine');
    const { code, out } = await call(apply, ['--only', 'src/a.ts', '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([1, { applied: [], conflicts: [{ path: 'src/a.ts' }] }]);
    expect(fs.readFileSync(path.join(workspace, 'src', 'a.ts'), 'utf8')).toBe('mine');
  });

  it('takes a name that begins like an option after --', async () => {
    fs.writeFileSync(path.join(home, 'state', 'sessions', 'first', 'upper', '--json'), 'x');
    const { code, out } = await call(apply, ['--only', '--', '--json', 'src/a.ts']);
    expect([code, out]).toEqual([0, 'applied  --json\napplied  src/a.ts\n']);
  });

  it('paths count from where one stands', async () => {
    const { out } = await call(diff, ['--only', 'a.ts'], path.join(workspace, 'src'));
    expect(out).toBe('M src/a.ts\n');
  });

  it('discard gives up a part, then the rest', async () => {
    await call(discard, ['--only', 'package.json']);
    expect((await call(diff, [])).out).not.toContain('package.json');
    const { code, out } = await call(discard, ['--json']);
    expect([code, JSON.parse(out)]).toMatchObject([0, { schema: 'intramur/discard/1', session: 'first' }]);
    expect(fs.existsSync(path.join(home, 'state', 'sessions', 'first'))).toBe(false);
    expect(fs.readFileSync(path.join(workspace, 'src', 'a.ts'), 'utf8')).toBe('old');
  });

  it.each<[string, readonly string[], string]>([
    ['an unknown option', ['--force'], 'USAGE'],
    ['two sessions', ['first', 'second'], 'USAGE'],
    ['--only without a path', ['--only'], 'USAGE'],
    ['--only with an empty path, as of a variable that is not set', ['--only', ''], 'USAGE'],
    ['the same in one word', ['--only='], 'USAGE'],
    ['a path that did not change', ['--only', 'README.md'], 'USAGE'],
    ['a session that is not there', ['second'], 'CONFIG_NOT_FOUND'],
    ['a session outside of the sessions', ['../sessions/first'], 'CONFIG_NOT_FOUND'],
  ])('%s is refused', async (_name, args, code) => {
    await expect(call(diff, args)).rejects.toSatisfy((fault) => codeOf(fault) === code);
  });

  describe('among several of a workspace', () => {
    const session = async (name: string, files: Readonly<Record<string, string>>): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const directory = path.join(home, 'state', 'sessions', name);
      fs.mkdirSync(path.join(directory, 'upper', 'src'), { recursive: true });
      fs.writeFileSync(path.join(directory, 'manifest.json'), JSON.stringify({ session: name, workspace, startedAt: '' }));
      for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, 'upper', file), text);
    };
    const waits = (...names: string[]): string =>
      `older changes of this workspace wait in session${names.length > 1 ? 's' : ''} ${names.join(', ')}; to look at one: intramur diff ${names[0]}\n`;

    it('the newest that holds something is meant, and the others that do are named', async () => {
      await session('second', { 'src/b.ts': 'b' });
      await session('wrote-the-same', { 'src/a.ts': 'old' });
      await session('nothing', {});
      expect(await call(diff, [])).toEqual({
        code: 0,
        out: 'A src/b.ts\n',
        err: `${waits('first')}session second: 1 change; intramur apply, or intramur discard\n`,
      });
      const { out, err } = await call(diff, ['--json']);
      expect([JSON.parse(out), err]).toEqual([expect.objectContaining({ session: 'second' }), waits('first')]);
    });

    it('a session that is named is meant alone', async () => {
      await session('second', { 'src/b.ts': 'b' });
      const { out, err } = await call(diff, ['first', '--only', 'src']);
      expect([out, err]).toEqual(['M src/a.ts\n', 'session first: 1 change; intramur apply, or intramur discard\n']);
    });

    it('one that was applied stays the one that is meant: again is not the next', async () => {
      await session('second', { 'src/b.ts': 'b' });
      await session('third', { 'src/c.ts': 'c' });
      expect((await call(apply, [])).out).toBe('applied  src/c.ts\n');
      const again = { code: 0, out: '', err: `${waits('second', 'first')}session third: 0 applied, 0 refused, 0 conflicts\n` };
      expect(await call(apply, [])).toEqual(again);
      expect((await call(discard, [])).out).toBe('');
      expect((await call(diff, [])).out).toBe('A src/b.ts\n');
    });

    it('where none holds anything, nothing waits', async () => {
      await call(discard, ['first']);
      await session('second', {});
      expect(await call(diff, [])).toEqual({ code: 0, out: '', err: 'session second: nothing changed\n' });
    });

    it('one that goes while it is read holds nothing', async () => {
      await session('second', { 'src/b.ts': 'b' });
      fs.rmSync(path.join(home, 'state', 'sessions', 'first', 'upper'), { recursive: true });
      expect((await call(diff, [])).err).toBe('session second: 1 change; intramur apply, or intramur discard\n');
    });
  });

  it('without any session it says so', async () => {
    await expect(call(diff, [], scratch)).rejects.toSatisfy((fault) => codeOf(fault) === 'CONFIG_NOT_FOUND');
  });
});
