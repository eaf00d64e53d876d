import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { run as runAudit } from './audit.ts';
import type { CliIo } from './io.ts';
import { run as runManaged } from './managed.ts';

interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function call(
  run: (args: readonly string[], io: CliIo) => Promise<number>,
  args: readonly string[],
  home: string,
  input = '',
): Promise<Told> {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const code = await run(args, {
    ...streams,
    stdin: Readable.from([input]),
    env: { INTRAMUR_HOME: path.join(home, 'intramur') },
    cwd: home,
    home,
  });
  return { code, out: String(streams.stdout.read() ?? ''), err: String(streams.stderr.read() ?? '') };
}

async function atHome(files: Readonly<Record<string, string>>, work: (home: string) => Promise<void>): Promise<void> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-audit-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
      fs.writeFileSync(path.join(home, name), text, { mode: 0o600 });
    }
    await work(home);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

const open = { '.claude/settings.json': '{"permissions":{"allow":["Bash(*)"]}}' };

describe('audit', () => {
  it('exits 1 only at or above --fail-on, and 0 for what a baseline knows', () =>
    atHome(open, async (home) => {
      const args = ['--home', home];
      expect((await call(runAudit, args, home)).code).toBe(0);
      expect((await call(runAudit, [...args, '--fail-on', 'critical'], home)).code).toBe(1);
      expect((await call(runAudit, [...args, '--json', '--out', 'known.json'], home)).out).toBe('');
      expect((await call(runAudit, [...args, '--fail-on', 'info', '--baseline', 'known.json'], home)).code).toBe(0);
    }));

  it.each(['json', 'sarif', 'cyclonedx'])('%s is one document on standard output', (format) =>
    atHome(open, async (home) => {
      const { out, err } = await call(runAudit, ['--home', home, '--format', format], home);
      expect(typeof JSON.parse(out)).toBe('object');
      expect(err).toBe('');
    }),
  );

  it('answers in the order of the questions', () =>
    atHome({ ...open, 'repo/.git/HEAD': '' }, async (home) => {
      const questions = ['make', 'ls']
        .map((target) => JSON.stringify({ agent: 'claude-code', workspace: path.join(home, 'repo'), action: 'shell', target }))
        .join('\n');
      const { out } = await call(runAudit, ['--home', home, '--ask', '-', '--json'], home, `${questions}\n`);
      expect(JSON.parse(out)).toEqual({
        schema: 'intramur/audit-ask/1',
        answers: [1, 2].map(() => ({ mode: 'allow', source: { file: path.join(home, '.claude/settings.json'), line: 1, scope: 'user' } })),
      });
    }));

  it.each([
    [['--format', 'pdf'], /--format: "pdf" is none of text/],
    [['--fail-on', 'severe'], /--fail-on: "severe"/],
    [['--home', '/does/not/exist'], /no such directory/],
    [['--root', '/does/not/exist'], /no such directory/],
    [['/does/not/exist'], /no such directory/],
    [['--baseline', 'gone.json'], /gone\.json/],
    [['--unknown'], /--unknown/],
  ])('%j is wrong usage', (args, message) =>
    atHome({}, async (home) => {
      await expect(call(runAudit, ['--home', home, ...args], home)).rejects.toThrow(message);
    }),
  );
});

describe('audit --fix', () => {
  const file = '.claude/settings.json';
  it('only shows, without a terminal and without --yes', () =>
    atHome(open, async (home) => {
      const { code, out, err } = await call(runAudit, ['--fix'], home);
      expect({ code, out, err }).toEqual({
        code: 1,
        out: expect.stringMatching(/^# PERM-001: takes out the allow rule "Bash\(\*\)"\n--- [^\n]*settings\.json\n/),
        err: expect.stringContaining('nothing was changed'),
      });
      expect(fs.readFileSync(path.join(home, file), 'utf8')).toBe(open[file]);
      expect(fs.existsSync(path.join(home, 'intramur'))).toBe(false);
    }));

  it('with --yes mends, and keeps a copy of what was there for its owner alone', () =>
    atHome(open, async (home) => {
      const { code, out } = await call(runAudit, ['--fix', '--yes'], home);
      expect([code, fs.readFileSync(path.join(home, file), 'utf8')]).toEqual([0, '{"permissions":{"allow":[]}}']);
      const copy = path.join(/lies in (\S+)\n$/.exec(out)?.[1] ?? '', home, file);
      expect([fs.readFileSync(copy, 'utf8'), fs.statSync(copy).mode & 0o777]).toEqual([open[file], 0o600]);
      expect(await call(runAudit, ['--fix', '--yes'], home)).toMatchObject({ code: 0, out: expect.stringContaining('nothing') });
    }));

  it('is for this machine', () =>
    atHome(open, async (home) => {
      await expect(call(runAudit, ['--fix', '--root', home], home)).rejects.toThrow(/--root is another/);
    }));
});

describe('managed emit', () => {
  it('prints the file, names its place on standard error, and installs nothing', () =>
    atHome({}, async (home) => {
      const { code, out, err } = await call(runManaged, ['emit', '--agent', 'opencode'], home);
      expect([code, err]).toEqual([0, '/etc/opencode/opencode.json\n']);
      expect(JSON.parse(out)).toMatchObject({ permission: { bash: 'ask' } });
    }));

  it.each([
    [['emit', '--agent', 'cody'], /none of claude-code/],
    [['install'], /managed emit/],
  ])('%j is wrong usage', (args, message) =>
    atHome({}, async (home) => {
      await expect(call(runManaged, args, home)).rejects.toThrow(message);
    }),
  );
});
