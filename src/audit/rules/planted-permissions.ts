// Planted problems: what an agent may do, and what limits it.
import { json, type Planted } from './planted.ts';

export const plantedPermissions: Planted = [
  ['CFG-001', '~/.claude/settings.json', { '~/.claude/settings.json': '{"permissions": {"deny": ["Read(.env)"],}}' }],
  ['CFG-001', '~/.codex/config.toml', { '~/.codex/config.toml': 'approval_policy = \n' }],
  ['CFG-001', '~/.config/goose/config.yaml', { '~/.config/goose/config.yaml': 'GOOSE_MODE: [\n' }],
  ['PERM-001', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(*)'] } }) }],
  ['PERM-001', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash'] } }) }],
  ['PERM-001', '~/.cursor/cli-config.json', { '~/.cursor/cli-config.json': json({ permissions: { allow: ['Shell(**)'] } }) }],
  ['PERM-001', '~/.gemini/settings.json', { '~/.gemini/settings.json': json({ tools: { allowed: ['run_shell_command'] } }) }],
  ['PERM-001', '~/.config/crush/crush.json', { '~/.config/crush/crush.json': json({ permissions: { allowed_tools: ['bash'] } }) }],
  [
    'PERM-001',
    '~/.config/Code/User/settings.json',
    {
      '~/.vscode/extensions/github.copilot-chat-0.30.0/package.json': '{}',
      '~/.config/Code/User/settings.json': json({ 'chat.tools.terminal.autoApprove': { '/.*/': true } }),
    },
  ],
  ['PERM-001', '~/.aws/amazonq/cli-agents/a.json', { '~/.aws/amazonq/cli-agents/a.json': json({ allowedTools: ['execute_bash'] }) }],
  ['PERM-001', '~/.qwen/settings.json', { '~/.qwen/settings.json': json({ permissions: { allow: ['Bash(*)'] } }) }],
  [
    'PERM-001',
    '~/.gemini/policies/p.toml',
    { '~/.gemini/policies/p.toml': '[[rule]]\ntoolName = "run_shell_command"\ndecision = "allow"\npriority = 100\n' },
  ],
  ['PERM-002', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(python3:*)'] } }) }],
  ['PERM-002', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(curl *)'] } }) }],
  ['PERM-002', '~/.codex/rules/default.rules', { '~/.codex/rules/default.rules': 'prefix_rule(pattern = ["bash"], decision = "allow")\n' }],
  ['PERM-003', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(npm run:*)'] } }) }],
  ['PERM-004', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Edit(//**)'] } }) }],
  ['PERM-004', '~/.codex/config.toml', { '~/.codex/config.toml': '[sandbox_workspace_write]\nwritable_roots = ["/home/dev"]\n' }],
  ['PERM-005', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Edit(.claude/**)'] } }) }],
  ['PERM-006', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(docker run:*)'] } }) }],
  ['PERM-006', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(sudo *)'] } }) }],
  ['PERM-007', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['WebFetch'] } }) }],
  [
    'PERM-008',
    '~/.claude/settings.json',
    { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(python3:*)'], deny: ['Read(./secrets/**)'] } }) },
  ],
  ['PERM-009', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { deny: ['Write(.env)'] } }) }],
  ['PERM-009', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { deny: ['bash(rm:*)'] } }) }],
  [
    'PERM-009',
    '~/.gemini/policies/p.toml',
    { '~/.gemini/policies/p.toml': '[[rule]]\ncommandPrefix = "rm"\ndecision = "deny"\npriority = 1\n' },
  ],
  ['PERM-010', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { defaultMode: 'bypassPermissions' } }) }],
  ['PERM-010', '~/.qwen/settings.json', { '~/.qwen/settings.json': json({ tools: { approvalMode: 'yolo' } }) }],
  ['PERM-010', '~/.config/goose/config.yaml', { '~/.config/goose/config.yaml': 'GOOSE_MODE: auto\n' }],
  ['PERM-010', '~/.aider.conf.yml', { '~/.aider.conf.yml': 'yes-always: true\n' }],
  [
    'PERM-010',
    '~/.config/zed/settings.json',
    { '~/.config/zed/settings.json': '{ // mine\n "agent": {"always_allow_tool_actions": true},\n}' },
  ],
  ['PERM-010', '~/.config/amp/settings.json', { '~/.config/amp/settings.json': json({ 'amp.dangerouslyAllowAll': true }) }],
  ['PERM-010', '~/.factory/settings.json', { '~/.factory/settings.json': json({ autonomyLevel: 'high' }) }],
  ['PERM-010', '~/.kimi/config.toml', { '~/.kimi/config.toml': 'default_yolo = true\n' }],
  ['PERM-010', '~/.grok/config.toml', { '~/.grok/config.toml': '[ui]\npermission_mode = "always-approve"\n' }],
  ['PERM-010', '~/.junie/allowlist.json', { '~/.junie/allowlist.json': json({ defaultBehavior: 'allow' }) }],
  ['PERM-010', '~/.continue/permissions.yaml', { '~/.continue/permissions.yaml': 'allow:\n  - "*"\n' }],
  ['PERM-011', '~/.claude/settings.json', { '~/.claude/settings.json': json({ skipDangerousModePermissionPrompt: true }) }],
  ['PERM-012', '~/.codex/config.toml', { '~/.codex/config.toml': 'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n' }],
  ['PERM-013', 'package.json', { 'package.json': json({ scripts: { fix: 'claude -p "fix" --dangerously-skip-permissions' } }) }],
  [
    'PERM-013',
    '.github/workflows/ai.yml',
    { '.github/workflows/ai.yml': 'jobs:\n  a:\n    steps:\n      - run: gemini --yolo -p "$BODY"\n' },
  ],
  ['PERM-014', '~/.bashrc', { '~/.bashrc': "alias cc='claude --dangerously-skip-permissions'\n" }],
  ['PERM-014', 'justfile', { justfile: 'ai:\n  codex exec --yolo\n' }],
  ['PERM-015', '~/.claude/settings.json', { '~/.claude/settings.json': json({ permissions: { allow: ['Bash(/opt/gone/tool:*)'] } }) }],
  ['PERM-020', '~/.config/opencode/opencode.json', { '~/.config/opencode/opencode.json': json({ model: 'x/y' }) }],
  [
    'EFF-001',
    '~/.claude/settings.json',
    {
      '~/.claude/settings.json': json({ permissions: { allow: ['Bash(git push:*)'] } }),
      '/etc/claude-code/managed-settings.json': json({ permissions: { deny: ['Bash(git push:*)'] } }),
    },
  ],
  [
    'EFF-002',
    '~/.claude/settings.json',
    {
      '~/.claude/settings.json': json({ permissions: { defaultMode: 'bypassPermissions' } }),
      '/etc/claude-code/managed-settings.json': json({ permissions: { deny: ['Read(.env)'] } }),
    },
  ],
  ['SBX-001', '~/.codex/config.toml', { '~/.codex/config.toml': 'sandbox_mode = "danger-full-access"\n' }],
  ['SBX-002', '~/.claude/settings.json', { '~/.claude/settings.json': json({ sandbox: { enabled: true } }) }],
  [
    'SBX-003',
    '~/.claude/settings.json',
    { '~/.claude/settings.json': json({ sandbox: { enabled: true, excludedCommands: ['docker *'] } }) },
  ],
  [
    'SBX-004',
    '~/.claude/settings.json',
    { '~/.claude/settings.json': json({ sandbox: { enabled: true, network: { allowedDomains: ['*.amazonaws.com'] } } }) },
  ],
  [
    'SBX-005',
    '~/.cursor/mcp.json',
    {
      '~/.cursor/mcp.json': json({
        mcpServers: { a: { command: 'docker', args: ['run', '-v', '/var/run/docker.sock:/var/run/docker.sock', 'a:1.2'] } },
      }),
    },
  ],
  [
    'SBX-006',
    '/usr/lib/node_modules/@anthropic-ai/claude-code',
    { '/usr/lib/node_modules/@anthropic-ai/claude-code/package.json': json({ version: '1.0.50' }) },
  ],
  ['PERM-009', '~/.gemini/settings.json', { '~/.gemini/settings.json': json({ excludeTools: ['run_shell_command'] }) }],
  [
    'PERM-009',
    '~/.gemini/policies/a.toml',
    {
      '~/.gemini/policies/a.toml':
        '[[rule]]\ntoolName = "write_file"\nargsPattern = "([^/]*/)?secret"\ndecision = "deny"\npriority = 100\n',
    },
  ],
  [
    'PERM-009',
    '~/.gemini/policies/a.toml',
    { '~/.gemini/policies/a.toml': '[[rule]]\ntoolName = "write_file"\ndecision = "deny"\npriority = 1000\n' },
  ],
  ['PERM-001', '~/.config/Code/User/settings.json', { '~/.config/Code/User/settings.json': json({ 'roo-cline.allowedCommands': ['*'] }) }],
];
