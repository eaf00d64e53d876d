import { describe, expect, it } from 'vitest';
import { type AskedCase, answers, json } from './asked.ts';

const cases: readonly AskedCase[] = [
  [
    'cursor CLI',
    'cursor',
    {
      '~/.cursor/cli-config.json': json({
        permissions: { allow: ['Shell(git)', 'Mcp(gh:*)', 'Write(src/**)'], deny: ['Shell(git push)', 'Read(.env*)'] },
      }),
    },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'git push', 'deny'],
      ['shell', 'make', 'ask'],
      ['mcp', 'gh/x', 'allow'],
      ['read', '.env.local', 'deny'],
    ],
  ],
  [
    'copilot in VS Code',
    'copilot-vscode',
    { '~/.config/Code/User/settings.json': json({ 'chat.tools.terminal.autoApprove': { 'git status': true, '/^git push/': false } }) },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'git push x', 'ask'],
      ['shell', 'git status && curl x', 'ask'],
    ],
  ],
  [
    'roo: the longest prefix wins',
    'roo-code',
    { '~/.roo/roo-code-settings.json': json({ allowedCommands: ['git'], deniedCommands: ['git push'] }) },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'git push', 'deny'],
      ['shell', 'make', 'ask'],
    ],
  ],
  [
    'amp: the first match wins',
    'amp',
    {
      '~/.config/amp/settings.json': json({
        'amp.permissions': [
          { tool: 'Bash', action: 'ask', matches: { cmd: 'git push*' } },
          { tool: 'Bash', action: 'allow', matches: { cmd: 'git *' } },
          { tool: '*', action: 'reject' },
        ],
      }),
    },
    [
      ['shell', 'git push x', 'ask'],
      ['shell', 'git status', 'allow'],
      ['shell', 'make', 'deny'],
    ],
  ],
  [
    'auggie: no rule, no question',
    'auggie',
    {
      '~/.augment/settings.json': json({
        toolPermissions: [{ toolName: 'launch-process', shellInputRegex: '^rm ', permission: { type: 'deny' } }],
      }),
    },
    [
      ['shell', 'rm x', 'deny'],
      ['shell', 'make', 'allow', 'default'],
    ],
  ],
  [
    'junie',
    'junie',
    {
      '~/.junie/allowlist.json': json({ defaultBehavior: 'ask', rules: { executables: { rules: [{ prefix: 'git ', action: 'allow' }] } } }),
    },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'curl x', 'ask'],
    ],
  ],
  [
    'zed',
    'zed',
    {
      '~/.config/zed/settings.json': json({
        agent: {
          tool_permissions: {
            default: 'allow',
            tools: { terminal: { default: 'confirm', always_allow: [{ pattern: '^cargo build' }], always_confirm: [{ pattern: 'sudo' }] } },
          },
        },
      }),
    },
    [
      ['write', 'a', 'allow'],
      ['shell', 'sudo x', 'ask'],
    ],
  ],
  [
    'kiro',
    'kiro',
    {
      '~/.kiro/settings/permissions.yaml':
        'rules:\n  - {capability: shell, match: ["npm *"], effect: allow}\n  - {capability: shell, match: ["npm publish*"], effect: ask}\n',
    },
    [
      ['shell', 'npm test', 'allow'],
      ['shell', 'npm publish', 'ask'],
      ['shell', 'make', 'ask'],
    ],
  ],
  [
    'amazon q',
    'amazon-q',
    {
      '~/.aws/amazonq/cli-agents/a.json': json({
        allowedTools: ['fs_read'],
        toolsSettings: { execute_bash: { allowedCommands: ['git status'] } },
      }),
    },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'git push', 'ask'],
      ['read', 'a', 'allow'],
    ],
  ],
  [
    'droid: the organisation caps autonomy',
    'droid',
    { '~/.factory/settings.json': json({ autonomyLevel: 'high' }), '/etc/factory/settings.json': json({ maxAutonomyLevel: 'low' }) },
    [
      ['shell', 'make', 'ask'],
      ['write', 'a', 'allow'],
    ],
  ],
  [
    'goose',
    'goose',
    {
      '~/.config/goose/config.yaml': 'GOOSE_MODE: approve\n',
      '~/.config/goose/permission.yaml': 'user:\n  always_allow:\n    - developer__text_editor\n',
    },
    [
      ['write', 'a', 'allow'],
      ['shell', 'make', 'ask'],
    ],
  ],
  [
    'goose in auto mode ignores its lists',
    'goose',
    { '~/.config/goose/config.yaml': 'GOOSE_MODE: auto\n' },
    [['shell', 'make', 'allow', '~/.config/goose/config.yaml:1']],
  ],
  [
    'continue',
    'continue',
    { '~/.continue/permissions.yaml': 'exclude:\n  - Bash\nallow:\n  - Edit\n' },
    [
      ['shell', 'make', 'deny'],
      ['write', 'a', 'allow'],
    ],
  ],
  ['aider', 'aider', { '.aider.conf.yml': 'yes-always: true\n' }, [['shell', 'make', 'allow']]],
  [
    'crush',
    'crush',
    { '~/.config/crush/crush.json': json({ permissions: { allowed_tools: ['view', 'edit'] } }) },
    [
      ['write', 'a', 'allow'],
      ['shell', 'make', 'ask'],
    ],
  ],
  ['pi', 'pi', { '~/.pi/agent/settings.json': '{}' }, [['shell', 'make', 'allow', 'default']]],
  [
    'grok: a repository cannot set the mode',
    'grok-cli',
    {
      '~/.grok/config.toml': '[permission]\ndeny = ["Bash(rm *)"]\n',
      '.grok/config.toml': '[ui]\npermission_mode = "always-approve"\n[permission]\nallow = ["Bash(*)"]\n',
    },
    [
      ['shell', 'rm x', 'deny'],
      ['shell', 'make', 'allow', '~/repo/.grok/config.toml:4'],
    ],
  ],
  [
    'vibe',
    'mistral-vibe',
    { '~/.vibe/config.toml': '[tools.bash]\npermission = "ask"\nallowlist = ["git "]\n' },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'make', 'ask'],
    ],
  ],
  [
    'rovo',
    'rovo-dev',
    {
      '~/.rovodev/config.yml':
        'toolPermissions:\n  bash:\n    default: ask\n    commands:\n      - {command: "git status.*", permission: allow}\n',
    },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'ls', 'ask'],
    ],
  ],
  [
    'devin',
    'devin-local',
    { '.devin/config.json': '{"permissions": {"allow": ["Exec(npm run)"], "ask": ["Exec(npm run deploy)"]}} // c' },
    [
      ['shell', 'npm run lint', 'allow'],
      ['shell', 'npm run deploy', 'ask'],
    ],
  ],
  ['kimi', 'kimi-code', { '~/.kimi/config.toml': 'default_yolo = true\n' }, [['shell', 'make', 'allow', '~/.kimi/config.toml:1']]],
];

describe('what an agent would do, and which line says so', () => {
  it.each(cases)('%s', (_name, agent, files, questions) => {
    expect(answers(agent, files, questions)).toEqual(
      questions.map(([action, target, mode, source]) => (source === undefined ? [action, target, mode] : [action, target, mode, source])),
    );
  });
});
