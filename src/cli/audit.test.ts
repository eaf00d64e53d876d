import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { run as runAgents } from './agents.ts';
import { run as runAudit } from './audit.ts';
import type { CliIo } from './io.ts';
import { run as runKeys } from './keys.ts';
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
  cwd = home,
): Promise<Told> {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const code = await run(args, {
    ...streams,
    stdin: Readable.from([input]),
    env: { INTRAMUR_HOME: path.join(home, 'intramur') },
    cwd,
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
    [['--home', ''], /no such directory/],
    [['--root', '/usr', '--home', '/proc'], /^\/proc: no such directory/],
    [['--root', '/usr', '--home', '/share', '/proc'], /^\/proc: no such directory/],
    [['--baseline', 'gone.json'], /gone\.json/],
    [['--unknown'], /--unknown/],
  ])('%j is wrong usage', (args, message) =>
    atHome({}, async (home) => {
      await expect(call(runAudit, ['--home', home, ...args], home)).rejects.toThrow(message);
    }),
  );
});

describe('where the audit looks', () => {
  const repository = { '.git/HEAD': '', '.claude/settings.json': '{"permissions":{"allow":["Bash(*)"]}}', 'sub/deep/file': '' };
  const laid = (top: string): Record<string, string> =>
    Object.fromEntries(Object.entries(repository).map(([name, text]) => [path.join(top, name), text]));

  /** Home and repository lie beside each other; names are relative to the directory of both. */
  const from = (files: Readonly<Record<string, string>>, cwd: string, args: readonly string[] = []) => {
    let told: { files: readonly string[]; places: Record<string, boolean> } = { files: [], places: {} };
    const within = (base: string, file: string): string => path.relative(base, file) || '.';
    return atHome({ 'home/x': '', ...files }, async (base) => {
      const { out } = await call(runAudit, ['--json', ...args], path.join(base, 'home'), '', path.join(base, cwd));
      const { scanned, findings } = JSON.parse(out) as {
        scanned: { places: { path: string; whole: boolean }[] };
        findings: { id: string; file: string }[];
      };
      told = {
        files: findings.filter(({ id }) => id === 'PROJ-004').map(({ file }) => within(base, file)),
        places: Object.fromEntries(scanned.places.map(({ path: place, whole }) => [within(base, place), whole])),
      };
    }).then(() => told);
  };
  const settings = 'repo/.claude/settings.json';

  it.each<[string, string, readonly string[], { files: readonly string[]; places: Record<string, boolean> }]>([
    ['the repository around the current directory', 'repo', [], { files: [settings], places: { home: true, repo: true } }],
    ['its top, from below', 'repo/sub/deep', [], { files: [settings], places: { home: true, repo: true } }],
    [
      'the top of the repository of a directory that is named',
      'repo/sub',
      ['deep'],
      {
        files: [settings],
        places: { home: true, 'repo/sub/deep': true, 'repo/sub': false, repo: false },
      },
    ],
    [
      'the current directory alone where there is no repository',
      'plain',
      [],
      { files: ['plain/.claude/settings.json'], places: { home: true, plain: false } },
    ],
    ['not around the home', 'home', [], { files: [], places: { home: true } }],
    ['not here when another home is asked about', 'repo', ['--home', '../home'], { files: [], places: { home: true } }],
  ])('%s', async (_name, cwd, args, expected) => {
    const files = { ...laid('repo'), 'plain/.claude/settings.json': repository['.claude/settings.json'] };
    expect(await from(files, cwd, args)).toEqual(expected);
  });

  it('a directory that is named, also where the walk through the home would pass it by', async () => {
    const { files } = await from(laid('home/.cache/repo'), 'home', ['.cache/repo']);
    expect(files).toEqual(['home/.cache/repo/.claude/settings.json']);
  });

  it('knows the home by its real path, too', () =>
    atHome({ 'real/.claude/settings.json': '{}', 'real/repo/.git/HEAD': '' }, async (base) => {
      fs.symlinkSync('real', path.join(base, 'home'));
      for (const cwd of ['real', 'real/repo']) {
        const { out } = await call(runAudit, ['--json'], path.join(base, 'home'), '', path.join(base, cwd));
        const { scanned } = JSON.parse(out) as { scanned: { places: { path: string }[] } };
        expect(scanned.places.map(({ path: place }) => path.relative(base, place))).toEqual(
          cwd === 'real' ? ['home'] : ['home', 'home/repo'],
        );
      }
    }));

  it('text names the places', () =>
    atHome({ 'home/x': '', ...laid('repo') }, async (base) => {
      const { out } = await call(runAudit, [], path.join(base, 'home'), '', path.join(base, 'repo/sub'));
      expect(out.replace(/\n\s+/g, ' ')).toContain(`Looked in ~, ${path.join(base, 'repo')}.`);
    }));
});

describe('a configuration that a repository brings', () => {
  const hostile = ['providers: []', '{', 'organisation: x', 'a: &a [*a]'];
  it.each(hostile)('is a finding where it does not hold, and the audit goes on: %s', (text) =>
    atHome(
      { 'home/x': '', 'repo/.git/HEAD': '', 'repo/intramur.yaml': text, 'repo/.claude/settings.json': open['.claude/settings.json'] },
      async (base) => {
        const repo = path.join(base, 'repo');
        for (const [args, cwd] of [
          [[], repo],
          [['.'], repo],
          [['../repo'], path.join(base, 'home')],
        ] as const) {
          const { code, out } = await call(runAudit, [...args, '--json', '--fail-on', 'critical'], path.join(base, 'home'), '', cwd);
          const { findings } = JSON.parse(out) as { findings: { id: string; severity: string; file: string; line: number }[] };
          expect(code).toBe(1);
          expect(findings.map(({ id }) => id)).toContain('PROJ-004');
          expect(findings.filter(({ id }) => id === 'CFG-001')).toMatchObject([
            { severity: 'high', file: path.join(repo, 'intramur.yaml'), line: 1 },
          ]);
        }
      },
    ),
  );

  it('in a home, and a pipe in its place', () =>
    atHome({ 'intramur.yaml': '{' }, async (home) => {
      expect((await call(runAudit, ['--json'], home)).out).toContain('intramur.yaml');
      fs.rmSync(path.join(home, 'intramur.yaml'));
      execFileSync('mkfifo', [path.join(home, 'intramur.yaml')]);
      expect((await call(runAudit, ['--json'], home)).out).toContain('it is no regular file');
    }));

  it('fails nothing that does not depend on it', () =>
    atHome({ 'home/x': '', 'repo/intramur.yaml': 'providers: []' }, async (base) => {
      const at = [path.join(base, 'home'), '', path.join(base, 'repo')] as const;
      expect(await call(runKeys, ['list'], ...at)).toMatchObject({ code: 0 });
      expect(await call(runKeys, ['add', 'k'], ...at)).toMatchObject({ code: 0 });
      expect(await call(runKeys, ['revoke', 'k'], ...at)).toMatchObject({ code: 0 });
      expect(await call(runAgents, ['list'], ...at)).toMatchObject({ code: 0 });
      expect(await call(runManaged, ['emit', '--agent', 'opencode'], ...at)).toMatchObject({ code: 0 });
    }));

  it("the user's own still fails it", () =>
    atHome({ 'intramur/intramur.yaml': 'organisation: x' }, async (home) => {
      await expect(call(runAudit, [], home)).rejects.toThrow(/organisation/);
    }));
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

it('a country is one however it is written, and what is none is refused', () =>
  atHome({ '.qoder/settings.json': '{}', '.claude.json': '{}' }, async (home) => {
    const found = async (...countries: string[]) => {
      const args = countries.flatMap((country) => ['--forbid-jurisdiction', country]);
      const { out } = await call(runAudit, ['--home', home, '--json', ...args], home);
      const { findings } = JSON.parse(out) as { findings: { id: string; severity: string; agent: string }[] };
      return findings.filter(({ id, severity }) => id === 'JUR-001' && severity === 'high').map(({ agent }) => agent);
    };
    expect((await found('CN')).length).toBe(1);
    expect(await found('cn')).toEqual(await found('CN'));
    expect(await found('us', 'CN')).toContain('claude-code');
    for (const none of ['', 'CN,RU', 'China'])
      await expect(found(none)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('no country') as string });
  }));

describe('words of audit that contradict each other', () => {
  it.each([
    [['--json', '--format', 'sarif'], /--json is short for --format json.*"sarif"/],
    [['--format', 'text', '--json'], /--json is short for --format json.*"text"/],
    [['--pin', '--fix'], /--pin and --fix are two things to do/],
    [['--probe', '--ask', '-'], /--probe and --ask are two things to do/],
    [['--pin', '--fail-on', 'low'], /--fail-on does nothing beside --pin/],
    [['--fix', '--json'], /--json does nothing beside --fix/],
    [['--ask', '-', '--format', 'html'], /the answers of --ask are JSON/],
    [['--yes'], /--yes is for --fix/],
  ])('%j', async (args, why) => {
    const home = os.tmpdir();
    await expect(call(runAudit, args, home)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(why) as string });
  });
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
