import { describe, expect, it } from 'vitest';
import { user } from '../temporary-home.ts';
import { type AskedCase, answers } from './asked.ts';

const cases: readonly AskedCase[] = [
  [
    'codex: trusted workspace, defaults',
    'codex',
    { '~/.codex/config.toml': `[projects."${user}/repo"]\ntrust_level = "trusted"\n` },
    [
      ['shell', 'make', 'sandboxed'],
      ['write', 'a', 'sandboxed'],
      ['write', '.git/config', 'ask'],
      ['write', '/etc/x', 'ask'],
      ['network', 'https://x.example', 'ask'],
      ['read', '~/.ssh/id_rsa', 'sandboxed'],
    ],
  ],
  [
    'codex: not trusted',
    'codex',
    { '~/.codex/config.toml': '', '.codex/config.toml': 'sandbox_mode = "danger-full-access"\napproval_policy = "never"\n' },
    [
      ['shell', 'make', 'sandboxed'],
      ['write', 'a', 'ask'],
    ],
  ],
  [
    'codex: never and no sandbox',
    'codex',
    { '~/.codex/config.toml': 'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n' },
    [
      ['shell', 'make', 'allow', '~/.codex/config.toml:2'],
      ['network', 'https://x.example', 'allow'],
      ['write', '/etc/x', 'allow'],
    ],
  ],
  [
    'codex: never asks, so what it may not is denied',
    'codex',
    {
      '~/.codex/config.toml':
        'approval_policy = "never"\nsandbox_mode = "workspace-write"\n[sandbox_workspace_write]\nnetwork_access = true\n',
    },
    [
      ['write', '/etc/x', 'deny'],
      ['network', 'https://x.example', 'sandboxed', '~/.codex/config.toml:4'],
    ],
  ],
  [
    'codex: requirements narrow the choice',
    'codex',
    {
      '~/.codex/config.toml': 'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n',
      '/etc/codex/requirements.toml':
        'allowed_approval_policies = ["on-request"]\nallowed_sandbox_modes = ["workspace-write", "read-only"]\n',
    },
    [
      ['shell', 'make', 'sandboxed', '/etc/codex/requirements.toml:2'],
      ['write', '/etc/x', 'ask'],
    ],
  ],
  [
    'codex: the strictest command rule wins',
    'codex',
    {
      '~/.codex/rules/default.rules':
        '# rules\nprefix_rule(pattern = ["git"], decision = "allow")\nprefix_rule(\n  pattern = ["git", ["push", "fetch"]],\n  decision = "prompt",\n)\nprefix_rule(pattern=["rm"], decision="forbidden")\n',
    },
    [
      ['shell', 'git status', 'allow', '~/.codex/rules/default.rules:2'],
      ['shell', 'git push x', 'ask', '~/.codex/rules/default.rules:3'],
      ['shell', 'git status && rm x', 'deny'],
      ['shell', 'gitk', 'sandboxed'],
    ],
  ],
  [
    'codex: servers',
    'codex',
    { '~/.codex/config.toml': '[mcp_servers.a]\ncommand = "/opt/a"\ndefault_tools_approval_mode = "approve"\ndisabled_tools = ["drop"]\n' },
    [
      ['mcp', 'a/get', 'allow', '~/.codex/config.toml:3'],
      ['mcp', 'a/drop', 'deny'],
    ],
  ],
];

describe('what an agent would do, and which line says so', () => {
  it.each(cases)('%s', (_name, agent, files, questions) => {
    expect(answers(agent, files, questions)).toEqual(
      questions.map(([action, target, mode, source]) => (source === undefined ? [action, target, mode] : [action, target, mode, source])),
    );
  });
});
