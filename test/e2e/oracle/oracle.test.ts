// The audit's answers against those of the real programs: Claude Code with a model on loopback that asks for the calls, Codex through
// its own policy check. Both run unprivileged, without a network, with a home that is thrown away.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, parseQuestions } from '../../../src/audit/index.ts';

const agents = path.resolve('test/agents/node_modules');
const claude = path.join(agents, '@anthropic-ai/claude-code-linux-x64/claude');
const codex = path.join(agents, '@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex');
const canIsolate = process.platform === 'linux' && isolated(['true']).status === 0;
for (const [name, file] of [
  ['claude-code', claude],
  ['codex', codex],
] as const) {
  if (!fs.existsSync(file) || !canIsolate)
    process.stderr.write(`skipped: oracle for ${name} (${canIsolate ? 'not installed under test/agents' : 'no network namespace'})\n`);
}

/** In a network namespace with nothing but loopback, as an ordinary user. */
function isolated(command: readonly string[]) {
  const isRoot = process.getuid?.() === 0;
  const drop = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'] : [];
  return spawnSync(
    'unshare',
    [
      ...(isRoot ? ['--net'] : ['--user', '--map-root-user', '--net']),
      '--',
      'sh',
      '-c',
      'ip link set lo up && exec "$@"',
      'sh',
      ...drop,
      ...command,
    ],
    { encoding: 'utf8', timeout: 90_000 },
  );
}

function inTemporary<T>(files: Readonly<Record<string, string>>, work: (home: string, workspace: string) => T): T {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'oracle-'));
  const workspace = path.join(home, 'repo');
  try {
    fs.mkdirSync(workspace);
    for (const [name, content] of Object.entries(files)) {
      const file = name.startsWith('~/') ? path.join(home, name.slice(2)) : path.join(workspace, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
    }
    if (process.getuid?.() === 0) spawnSync('chown', ['-R', '65534:65534', home]);
    return work(home, workspace);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

function ours(
  agent: string,
  home: string,
  workspace: string,
  questions: readonly (readonly [action: string, target: string])[],
): readonly string[] {
  const text = questions.map(([action, target]) => JSON.stringify({ agent, workspace, action, target })).join('\n');
  return ask({ home, dirs: [], userHome: home, cwd: '/', env: {}, tools: {} }, parseQuestions(text)).answers.map(({ mode }) => mode);
}

const cases: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  shell: readonly string[],
  files2: readonly (readonly ['read' | 'write', string])[],
])[] = [
  [
    'rules of a user',
    {
      '~/.claude/settings.json': JSON.stringify({
        permissions: {
          allow: ['Bash(touch *)', 'Bash(npm test)'],
          deny: ['Read(./.env)', 'Write(secret.txt)', 'Bash(rm:*)'],
          ask: ['Bash(touch ask*)'],
        },
      }),
      '.env': 'A=1',
      'README.md': 'hi',
    },
    [
      'touch a',
      'touch',
      'touchx b',
      'touch ask1',
      'cat .env',
      'ls',
      'cat README.md',
      'make x',
      'touch b && make x',
      'FOO=1 touch c',
      'touch $(echo d)',
      'rm a',
      'FOO=1 rm a',
      'timeout 5 rm a',
      'cat /etc/passwd',
      'npm test -- -x',
      'head -1 ./.env',
      'sed -n 1p .env',
      'grep x README.md | wc -l',
      'find . -name x -delete',
    ],
    [
      ['read', '/etc/passwd'],
      ['write', 'secret.txt'],
      ['read', 'README.md'],
    ],
  ],
  [
    'an untrusted repository',
    {
      '~/.claude/settings.json': JSON.stringify({ permissions: { allow: ['Bash'] } }),
      '.claude/settings.json': JSON.stringify({
        permissions: { allow: ['Edit(/src/**)', 'Read(//etc/hostname)'], deny: ['Edit(src/no.txt)'] },
      }),
      'README.md': 'hi',
    },
    ['touch e', 'echo $(echo x)', 'echo x > src/no.txt', 'tee src/no.txt < README.md', 'cat /etc/passwd'],
    [
      ['write', 'src/a.ts'],
      ['read', '/etc/hostname'],
      ['write', 'src/no.txt'],
      ['write', '.vscode/x.json'],
    ],
  ],
  [
    'edits accepted',
    { '~/.claude/settings.json': JSON.stringify({ permissions: { defaultMode: 'acceptEdits' } }), 'README.md': 'hi' },
    ['mkdir d1', 'touch f1', 'rm f1', 'cp README.md g', 'sed -i s/h/j/ README.md', 'make', 'mkdir ../d2', 'echo x > h'],
    [
      ['write', 'a.ts'],
      ['write', '.git/config'],
      ['write', '.bashrc'],
      ['write', 'package.json'],
      ['write', '.mcp.json'],
      ['write', '../out.txt'],
    ],
  ],
  ['a file with a trailing comma', { '~/.claude/settings.json': '{"permissions":{"allow":["Bash(touch *)"],}}' }, ['touch a'], []],
];

describe.skipIf(!fs.existsSync(claude) || !canIsolate)('Claude Code', () => {
  it.each(cases)(
    '%s',
    (_name, files, shell, paths) => {
      inTemporary(files, (home, workspace) => {
        const calls = [
          ...shell.map((command) => ['Bash', { command }] as const),
          ...paths.map(([action, file]) =>
            action === 'read'
              ? (['Read', { file_path: path.resolve(workspace, file) }] as const)
              : (['Write', { file_path: path.resolve(workspace, file), content: 'x' }] as const),
          ),
        ];
        const mine = ours('claude-code', home, workspace, [...shell.map((command) => ['shell', command] as const), ...paths]);
        const child = isolated([
          process.execPath,
          path.resolve('test/e2e/oracle/claude-inside.ts'),
          claude,
          home,
          workspace,
          JSON.stringify(calls),
        ]);
        const theirs: readonly string[] = JSON.parse(child.stdout || '[]');
        const named = (modes: readonly string[]) =>
          calls.map(([tool, input], index) => `${tool} ${JSON.stringify(input).slice(0, 60)}: ${modes[index] ?? 'nothing'}`);
        expect(named(mine)).toEqual(named(theirs));
      });
    },
    120_000,
  );
});

describe.skipIf(!fs.existsSync(codex) || !canIsolate)('Codex', () => {
  it('command rules', () => {
    const rules =
      'prefix_rule(pattern = ["git"], decision = "allow")\nprefix_rule(pattern = ["git", ["push", "fetch"]], decision = "prompt")\nprefix_rule(pattern = ["rm"], decision = "forbidden")\nprefix_rule(pattern = ["npm", "run", "test"])\n';
    inTemporary({ '~/.codex/config.toml': '', '~/.codex/rules/default.rules': rules }, (home, workspace) => {
      const commands = ['git status', 'git push x', 'git fetch', 'rm x', 'npm run test', 'npm run testx', 'gitk', 'ls'];
      const words = { allow: 'allow', prompt: 'ask', forbidden: 'deny' } as const;
      const theirs = commands.map((command) => {
        const child = isolated([
          'env',
          `HOME=${home}`,
          codex,
          'execpolicy',
          'check',
          '--rules',
          path.join(home, '.codex/rules/default.rules'),
          '--',
          ...command.split(' '),
        ]);
        const { decision }: { decision?: keyof typeof words } = JSON.parse(child.stdout);
        return decision === undefined ? 'sandboxed' : words[decision];
      });
      expect(
        ours(
          'codex',
          home,
          workspace,
          commands.map((command) => ['shell', command]),
        ),
      ).toEqual(theirs);
    });
  }, 60_000);
});
