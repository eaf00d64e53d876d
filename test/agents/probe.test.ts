// `audit --probe` with the real agents: rules that hold are told from rules that only stand in a file.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/audit.ts';
import { doctor } from '../../src/sandbox/index.ts';

const modules = path.join(import.meta.dirname, 'node_modules');
const programs = {
  claude: '@anthropic-ai/claude-code-linux-x64/claude',
  codex: '@openai/codex/bin/codex.js',
  qwen: '@qwen-code/qwen-code/cli-entry.js',
  gemini: '@google/gemini-cli/bundle/gemini.js',
  opencode: 'opencode-linux-x64/bin/opencode',
} as const;
const { mode } = await doctor();

let dir = '';
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'probe-'));
  for (const name of ['bin', 'home', 'work']) fs.mkdirSync(path.join(dir, name));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

interface Report {
  readonly probed: {
    readonly results: readonly {
      agent: string;
      mode: string;
      act: { do: string; command?: string; path?: string };
      outcome: string;
      how: string;
    }[];
    readonly unprobed: readonly { rule: string }[];
  };
  readonly findings: readonly { id: string; severity: string; message: string; file: string; line: number }[];
}

/** Settings by their place below the home, or below the workspace where they begin with `./`. */
async function probed(program: keyof typeof programs, settings: Readonly<Record<string, unknown>>): Promise<Report> {
  fs.symlinkSync(path.join(modules, programs[program]), path.join(dir, 'bin', program));
  for (const [name, value] of Object.entries(settings)) {
    const file = name.startsWith('./') ? path.join(dir, 'work', name) : path.join(dir, 'home', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const stdout = new PassThrough();
  await run(['--probe', '--json'], {
    stdout,
    stderr: new PassThrough().resume(),
    stdin: new PassThrough(),
    env: { INTRAMUR_HOME: path.join(dir, 'state'), PATH: `${path.join(dir, 'bin')}:${path.dirname(process.execPath)}:/usr/bin:/bin` },
    cwd: path.join(dir, 'work'),
    home: path.join(dir, 'home'),
  });
  stdout.end();
  return JSON.parse(await text(stdout)) as Report;
}

function outcomes({ probed: { results } }: Report): Record<string, string> {
  const name = ({ act }: Report['probed']['results'][number]) =>
    `${act.do} ${(act.command ?? act.path ?? '').replaceAll(`${path.join(dir, 'work')}/`, '').replaceAll(`${path.join(dir, 'home')}/`, '~/')}`;
  return Object.fromEntries(results.map((result) => [name(result), result.outcome]));
}

function skipped(program: keyof typeof programs): boolean {
  const why = mode === 'none' ? 'no sandbox here' : fs.existsSync(path.join(modules, programs[program])) ? undefined : 'not installed';
  if (why !== undefined) process.stderr.write(`skipped: probe of ${program} (${why})\n`);
  return why !== undefined;
}

describe.skipIf(skipped('claude'))('Claude Code', () => {
  it('enforces what it understands; a deny under a name that it never checks is found out', async () => {
    const report = await probed('claude', {
      '.claude/settings.json': {
        permissions: {
          deny: ['Bash(rm:*)', 'Read(./.env)', 'Read(~/.ssh/**)', 'Write(secret.txt)', 'Edit(locked/**)', 'WebFetch'],
          ask: ['Bash(git push:*)'],
        },
      },
      './.env': 'REAL=1\n',
      '.ssh/id_ed25519': 'the real key\n',
    });
    expect(outcomes(report)).toEqual({
      'shell rm x': 'enforced',
      'read .env': 'enforced',
      'shell cat .env': 'enforced',
      'read ~/.ssh/intramur-canary': 'enforced',
      'shell cat ~/.ssh/intramur-canary': expect.stringMatching(/enforced$/),
      'write secret.txt': 'not-enforced',
      'write locked/intramur-canary': 'enforced',
      'shell git push x': 'enforced',
    });
    expect(report.findings.filter(({ id }) => id === 'ENF-001')).toContainEqual(
      expect.objectContaining({ severity: 'high', message: expect.stringContaining('Write(secret.txt)') as string, line: 1 }),
    );
    expect(report.probed.unprobed.map(({ rule }) => rule)).toEqual(['WebFetch']);
    // The user's own files are what they were, and nothing came to them.
    expect(fs.readdirSync(path.join(dir, 'work'))).toEqual(['.env']);
    expect(fs.readFileSync(path.join(dir, 'work/.env'), 'utf8')).toBe('REAL=1\n');
    expect(fs.readdirSync(path.join(dir, 'home/.ssh'))).toEqual(['id_ed25519']);
    expect(fs.readdirSync(path.join(dir, 'state/state'))).toEqual([]);
  }, 240_000);

  it('rules in a file that does not parse are not in force', async () => {
    const report = await probed('claude', { '.claude/settings.json': '{"permissions":{"deny":["Bash(rm:*)"],}}' });
    expect(outcomes(report)).toEqual({ 'shell rm x': 'not-enforced' });
    expect(report.findings.map(({ id }) => id)).toEqual(expect.arrayContaining(['CFG-001', 'ENF-001']));
  }, 120_000);
});

describe.skipIf(skipped('codex'))('Codex', () => {
  it('command rules', async () => {
    const rules = 'prefix_rule(pattern = ["rm"], decision = "forbidden")\nprefix_rule(pattern = ["git", "push"], decision = "prompt")\n';
    expect(outcomes(await probed('codex', { '.codex/rules/default.rules': rules }))).toEqual({
      'shell rm x': 'enforced',
      'shell git push x': 'enforced',
    });
  }, 240_000);
});

describe.skipIf(skipped('qwen'))('Qwen Code', () => {
  it('permissions of a user', async () => {
    expect(outcomes(await probed('qwen', { '.qwen/settings.json': { permissions: { deny: ['Bash(rm:*)', 'Read(./.env)'] } } }))).toEqual({
      'shell rm x': 'enforced',
      'read .env': 'enforced',
      'shell cat .env': expect.stringMatching(/enforced$/),
    });
  }, 240_000);
});

describe.skipIf(skipped('gemini'))('Gemini CLI', () => {
  it('a policy of a user', async () => {
    const policy = '[[rule]]\ntoolName = "run_shell_command"\ncommandPrefix = "rm"\ndecision = "deny"\npriority = 100\n';
    expect(outcomes(await probed('gemini', { '.gemini/policies/p.toml': policy }))).toEqual({ 'shell rm': 'enforced' });
  }, 240_000);
});

describe.skipIf(skipped('opencode'))('opencode', () => {
  it('what is denied to the file tool is open to the shell', async () => {
    const permission = { bash: { '*': 'allow', 'rm *': 'deny' }, read: { '*': 'allow', '*.env': 'deny' } };
    expect(outcomes(await probed('opencode', { '.config/opencode/opencode.json': { permission } }))).toEqual({
      'shell rm x': 'enforced',
      'read intramur-canary.env': 'enforced',
      'shell cat intramur-canary.env': 'not-enforced',
    });
  }, 240_000);
});
