// Planted problems: secrets, versions, telemetry and the inventory.
import { json, type Planted, token } from './planted.ts';

const anthropicKey = `sk-ant-api03-${'aB3'.repeat(31)}AA`;

export const plantedSurroundings: Planted = [
  [
    'VEND-001',
    '/usr/lib/node_modules/@anthropic-ai/claude-code',
    { '/usr/lib/node_modules/@anthropic-ai/claude-code/package.json': json({ version: '2.1.197' }) },
  ],
  [
    'CRED-001',
    '~/.config/opencode/opencode.json',
    { '~/.config/opencode/opencode.json': json({ permission: 'allow' }), '~/.ssh/id_ed25519': 'x' },
  ],
  // It asks before its reading tool leaves the workspace, and takes `cat` for harmless everywhere.
  [
    'CRED-001',
    '~/.qwen/settings.json',
    { '~/.qwen/settings.json': json({ tools: { approvalMode: 'default' } }), '~/.ssh/id_ed25519': 'x' },
  ],
  ['CRED-002', '.env', { '~/.claude.json': '{}', '.env': `GITHUB_TOKEN=${token}\n` }],
  [
    'CRED-003',
    '~/.codex/config.toml',
    { '~/.codex/config.toml': '[shell_environment_policy]\ninherit = "all"\nignore_default_excludes = true\n' },
  ],
  ['CRED-005', '~/.claude/settings.json', { '~/.claude/settings.json': json({ env: { ANTHROPIC_API_KEY: anthropicKey } }) }],
  ['CRED-006', '~/.kube/config', { '~/.kube/config': 'current-context: prod-eu\n' }],
  ['SEC-001', '~/.claude/settings.json', { '~/.claude/settings.json': json({ env: { ANTHROPIC_API_KEY: anthropicKey } }) }],
  ['SEC-001', 'CLAUDE.md', { '~/.claude.json': '{}', 'CLAUDE.md': `Use the token ${token} for the API.\n` }],
  ['SEC-002', '~/.claude/projects/p/s.jsonl', { '~/.claude/projects/p/s.jsonl': `{"text":"${token}"}\n` }],
  ['TEL-001', '~/.gemini/settings.json', { '~/.gemini/settings.json': json({ privacy: { usageStatisticsEnabled: true } }) }],
  ['TEL-002', '~/.codex/config.toml', { '~/.codex/config.toml': '[otel]\nlog_user_prompt = true\n' }],
  ['TEL-003', '~/.claude/settings.json', { '~/.claude/settings.json': json({ autoUploadSessions: true }) }],
  ['TEL-004', '~/.config/opencode/opencode.json', { '~/.config/opencode/opencode.json': json({ permission: 'ask', share: 'auto' }) }],
  ['UPD-001', '~/.config/opencode/opencode.json', { '~/.config/opencode/opencode.json': json({ permission: 'ask', autoupdate: true }) }],
  ['REM-001', '~/.claude/settings.json', { '~/.claude/settings.json': json({ remoteControlAtStartup: true }) }],
  [
    'INV-001',
    '~/.vscode/extensions/saoudrizwan.claude-dev-3.2.1',
    { '~/.vscode/extensions/saoudrizwan.claude-dev-3.2.1/package.json': json({ version: '3.2.1' }) },
  ],
];
