import { describe, expect, it } from 'vitest';
import { ask, parseQuestions } from '../ask.ts';
import { lay, optionsFor, user } from '../temporary-home.ts';

type Files = Readonly<Record<string, string>>;
type Expectation = readonly [action: string, target: string, mode: string, source?: string];

const json = (value: unknown): string => JSON.stringify(value, undefined, 1);
const trusted: Files = { '~/.claude.json': json({ projects: { [`${user}/repo`]: { hasTrustDialogAccepted: true } } }) };
const claudeUser = (permissions: unknown, more: object = {}): Files => ({
  ...trusted,
  '~/.claude/settings.json': json({ permissions, ...more }),
});

function answers(agent: string, files: Files, questions: readonly Expectation[]): readonly Expectation[] {
  using laid = lay(files);
  const asked = questions.map(([action, target]) => JSON.stringify({ agent, workspace: `${user}/repo`, action, target })).join('\n');
  const { answers: given } = ask(optionsFor(laid.root), parseQuestions(asked));
  return given.map(({ mode, source }, index): Expectation => {
    const [action = '', target = '', , wanted] = questions[index] ?? [];
    const shown = source.file === null ? source.scope : `${source.file.replace(user, '~')}:${source.line ?? 0}`;
    return wanted === undefined ? [action, target, mode] : [action, target, mode, shown];
  });
}

const cases: readonly (readonly [name: string, agent: string, files: Files, questions: readonly Expectation[]])[] = [
  [
    'deny, then ask, then allow, whatever the scope',
    'claude-code',
    {
      ...claudeUser({ allow: ['Bash(git *)'] }),
      '.claude/settings.json': json({ permissions: { ask: ['Bash(git push:*)'] } }),
      '/etc/claude-code/managed-settings.json': json({ permissions: { deny: ['Bash(git push --force:*)'] } }),
    },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'git', 'allow', '~/.claude/settings.json:4'],
      ['shell', 'gitk', 'ask', 'default'],
      ['shell', 'git push origin x', 'ask', '~/repo/.claude/settings.json:4'],
      ['shell', 'git push --force', 'deny', '/etc/claude-code/managed-settings.json:4'],
      ['shell', 'git add . && git push --force', 'deny'],
    ],
  ],
  [
    'a command line is allowed only when each of its commands is',
    'claude-code',
    claudeUser({ allow: ['Bash(npm test)', 'Bash(npm run lint:*)'] }),
    [
      ['shell', 'npm test', 'allow'],
      ['shell', 'npm test -- -x', 'ask'],
      ['shell', 'npm run lint && npm test', 'allow'],
      ['shell', 'npm test && curl https://x.example', 'ask'],
      ['shell', 'npm test | tee out', 'ask'],
      ['shell', 'npm run lint $(curl https://x.example)', 'ask'],
      ['shell', 'FOO=1 npm test', 'ask'],
      ['shell', 'NODE_ENV=test npm test', 'allow'],
      ['shell', 'npm test > out.txt', 'ask'],
      ['shell', 'npm test 2>&1', 'allow'],
      ['shell', 'npm test > /dev/null', 'allow'],
    ],
  ],
  [
    'files: rules look like gitignore; Write(…) is dead',
    'claude-code',
    claudeUser({
      allow: ['Edit(/src/**)', 'Read(~/notes/**)'],
      deny: ['Read(./.env)', 'Write(secret.txt)', 'Edit(//etc/**)', 'Read(**/*.pem)'],
    }),
    [
      ['read', '.env', 'deny'],
      ['read', `${user}/repo/.env`, 'deny'],
      ['read', 'README.md', 'allow', 'default'],
      ['read', '~/notes/a', 'allow'],
      ['read', '~/other/a', 'ask'],
      ['read', 'keys/a.pem', 'deny'],
      ['write', '/etc/passwd', 'deny'],
      ['shell', 'echo x > /etc/passwd', 'deny'],
      ['shell', 'tee /etc/passwd', 'deny'],
      ['write', 'secret.txt', 'ask', 'default'],
      ['shell', 'cat .env', 'deny'],
      ['shell', 'ls', 'allow', 'default'],
    ],
  ],
  [
    'accepting edits does not accept edits of what steers',
    'claude-code',
    claudeUser({ defaultMode: 'acceptEdits' }),
    [
      ['write', 'a.ts', 'allow'],
      ['write', '.git/config', 'ask'],
      ['write', '~/.bashrc', 'ask'],
      ['shell', 'mkdir a', 'allow'],
      ['shell', 'echo x > h', 'allow'],
      ['shell', 'echo x > .git/config', 'ask'],
      ['shell', 'mkdir ../b', 'ask'],
      ['shell', 'make', 'ask'],
    ],
  ],
  [
    'the mode without questions, and its lock',
    'claude-code',
    claudeUser({ defaultMode: 'bypassPermissions', deny: ['Bash(rm:*)'] }),
    [
      ['shell', 'make', 'allow', '~/.claude/settings.json:3'],
      ['shell', 'rm -rf x', 'deny'],
    ],
  ],
  [
    'the lock',
    'claude-code',
    {
      ...claudeUser({ defaultMode: 'bypassPermissions' }),
      '/etc/claude-code/managed-settings.json': json({ permissions: { disableBypassPermissionsMode: 'disable' } }),
    },
    [['shell', 'make', 'ask']],
  ],
  [
    'a repository cannot set that mode',
    'claude-code',
    { ...trusted, '.claude/settings.json': json({ permissions: { defaultMode: 'bypassPermissions' } }) },
    [['shell', 'make', 'ask']],
  ],
  [
    '… except in old versions',
    'claude-code',
    {
      ...trusted,
      '/usr/lib/node_modules/@anthropic-ai/claude-code/package.json': '{"version":"2.1.197"}',
      '.claude/settings.json': json({ permissions: { defaultMode: 'bypassPermissions' } }),
    },
    [['shell', 'make', 'allow']],
  ],
  [
    'an untrusted repository grants nothing and denies still',
    'claude-code',
    { '~/.claude.json': '{}', '.claude/settings.json': json({ permissions: { allow: ['Bash(make:*)'], deny: ['WebFetch'] } }) },
    [
      ['shell', 'make', 'ask'],
      ['network', 'https://x.example', 'deny'],
    ],
  ],
  [
    'a broken file is no file',
    'claude-code',
    { ...trusted, '~/.claude/settings.json': '{"permissions":{"deny":["Bash(rm:*)"],"allow":["Bash"],}}' },
    [['shell', 'rm x', 'ask']],
  ],
  [
    'only managed rules',
    'claude-code',
    { ...claudeUser({ allow: ['Bash'] }), '/etc/claude-code/managed-settings.json': json({ allowManagedPermissionRulesOnly: true }) },
    [['shell', 'make', 'ask']],
  ],
  [
    'the sandbox of Claude Code',
    'claude-code',
    claudeUser({ ask: ['Bash(git push:*)'], allow: ['Bash(make:*)'] }, { sandbox: { enabled: true, excludedCommands: ['docker'] } }),
    [
      ['shell', 'anything', 'sandboxed'],
      ['shell', 'make', 'sandboxed'],
      ['shell', 'git push', 'ask'],
      ['shell', 'docker ps', 'ask'],
    ],
  ],
  [
    'hosts and servers',
    'claude-code',
    claudeUser({ allow: ['WebFetch(domain:docs.acme.example)', 'mcp__gh__get_issue', 'mcp__db'], deny: ['mcp__db__drop'] }),
    [
      ['network', 'https://docs.acme.example/a', 'allow'],
      ['network', 'https://evil.docs.acme.example', 'ask'],
      ['mcp', 'gh/get_issue', 'allow'],
      ['mcp', 'gh/delete', 'ask'],
      ['mcp', 'mcp__db__select', 'allow'],
      ['mcp', 'db/drop', 'deny'],
    ],
  ],
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
  [
    'gemini: the highest priority of tier and number',
    'gemini-cli',
    {
      '~/.gemini/policies/a.toml':
        '[[rule]]\ntoolName = "run_shell_command"\ndecision = "allow"\npriority = 100\n[[rule]]\ncommandPrefix = ["npm publish", "curl"]\ndecision = "ask_user"\npriority = 200\n',
      '~/.gemini/settings.json': json({ tools: { exclude: ['web_fetch'] }, mcpServers: { a: { command: 'x', trust: true } } }),
    },
    [
      ['shell', 'make', 'allow', '~/.gemini/policies/a.toml:1'],
      ['shell', 'npm publish', 'ask', '~/.gemini/policies/a.toml:5'],
      ['shell', 'make; curl x', 'ask'],
      ['shell', 'curlx', 'allow'],
      ['shell', 'make > /etc/x', 'ask'],
      ['network', 'https://x.example', 'deny'],
      ['mcp', 'a/b', 'allow'],
      ['mcp', 'c/d', 'ask'],
      ['read', 'a', 'allow'],
      ['write', 'a', 'ask'],
    ],
  ],
  [
    'gemini: 0.61 rejects a policy file with a rule that names no tool',
    'gemini-cli',
    {
      '/usr/lib/node_modules/@google/gemini-cli/package.json': '{"version":"0.61.0"}',
      '~/.gemini/policies/a.toml':
        '[[rule]]\ntoolName = "run_shell_command"\ndecision = "allow"\npriority = 100\n[[rule]]\ncommandPrefix = "rm"\ndecision = "deny"\npriority = 200\n',
      '~/.gemini/policies/b.toml':
        '[[rule]]\ntoolName = "run_shell_command"\ncommandPrefix = "touch"\ndecision = "allow"\npriority = 100\n',
    },
    [
      ['shell', 'touch a', 'allow'],
      ['shell', 'touch', 'allow'],
      ['shell', 'touchx', 'ask'],
      ['shell', 'rm x', 'ask'],
      ['shell', 'touch b && make', 'ask'],
      ['shell', 'touch c > d', 'ask'],
      ['shell', 'touch $(echo e)', 'ask'],
      ['read', '/etc/hostname', 'deny'],
    ],
  ],
  [
    'gemini: an untrusted folder brings no settings',
    'gemini-cli',
    { '~/.gemini/settings.json': '{}', '.gemini/settings.json': json({ tools: { allowed: ['run_shell_command'] } }) },
    [['shell', 'make', 'ask']],
  ],
  [
    'gemini: a trusted one does',
    'gemini-cli',
    {
      '~/.gemini/settings.json': '{ /* c */ }',
      '~/.gemini/trustedFolders.json': json({ [`${user}/repo`]: 'TRUST_FOLDER' }),
      '.gemini/settings.json': json({ tools: { allowed: ['run_shell_command(make)'] } }),
    },
    [
      ['shell', 'make all', 'allow'],
      ['shell', 'rm x', 'ask'],
    ],
  ],
  [
    'qwen: rules, and files in the shell',
    'qwen-code',
    {
      '~/.qwen/settings.json': json({
        permissions: { allow: ['Bash(npm run *)'], ask: ['Bash(npm run deploy*)'], deny: ['Read(.env)', 'WebFetch(evil.example)'] },
      }),
    },
    [
      ['shell', 'npm run lint', 'allow'],
      ['shell', 'npm run deploy', 'ask'],
      ['shell', 'cat .env', 'deny'],
      ['shell', 'make', 'ask'],
      ['network', 'https://a.evil.example', 'deny'],
    ],
  ],
  [
    'qwen: in yolo mode deny rules hold, ask rules do not',
    'qwen-code',
    {
      '~/.qwen/settings.json': json({
        tools: { approvalMode: 'yolo' },
        permissions: { ask: ['Bash(touch ask*)'], deny: ['Bash(rm *)', 'Read(.env)'] },
      }),
    },
    [
      ['shell', 'touch ask1', 'allow'],
      ['shell', 'echo x && rm a', 'deny'],
      ['shell', 'FOO=1 rm a', 'deny'],
      ['shell', 'cat .env', 'deny'],
    ],
  ],
  [
    'qwen: the repository may switch questions off',
    'qwen-code',
    { '~/.qwen/settings.json': '{}', '.qwen/settings.json': json({ tools: { approvalMode: 'yolo' } }) },
    [['shell', 'make', 'allow', '~/repo/.qwen/settings.json:3']],
  ],
  [
    'qwen: … not where folder trust is on',
    'qwen-code',
    {
      '~/.qwen/settings.json': json({ security: { folderTrust: { enabled: true } } }),
      '.qwen/settings.json': json({ tools: { approvalMode: 'yolo' } }),
    },
    [['shell', 'make', 'ask']],
  ],
  [
    'qwen: 0.24 lets a model decide',
    'qwen-code',
    { '~/.qwen/settings.json': '{}', '/usr/lib/node_modules/@qwen-code/qwen-code/package.json': '{"version":"0.24.4"}' },
    [['shell', 'make', 'allow', 'default']],
  ],
  [
    'opencode: the last match wins',
    'opencode',
    { '~/.config/opencode/opencode.json': '{"permission": {"bash": {"*": "ask", "git *": "allow",\n"git push *": "deny"}}, } // c' },
    [
      ['shell', 'git status', 'allow'],
      ['shell', 'git push x', 'deny', '~/.config/opencode/opencode.json:2'],
      ['shell', 'ls', 'ask'],
      ['shell', 'git status && ls', 'ask'],
      ['write', 'a', 'allow', 'default'],
      ['read', '.env', 'ask'],
      ['write', '/etc/x', 'ask'],
    ],
  ],
  [
    'opencode: what is substituted runs too',
    'opencode',
    { '~/.config/opencode/opencode.json': '{"permission": {"bash": {"*": "deny", "touch *": "allow"}}}' },
    [
      ['shell', 'touch a', 'allow'],
      ['shell', 'touch', 'allow'],
      ['shell', 'touch $(make)', 'deny'],
      ['shell', 'FOO=1 touch a', 'deny'],
    ],
  ],
  [
    'opencode: order decides',
    'opencode',
    { '~/.config/opencode/opencode.json': '{"permission": {"bash": {"git *": "allow", "*": "ask"}}}' },
    [['shell', 'git status', 'ask']],
  ],
  [
    'opencode: the project overrides the user',
    'opencode',
    {
      '~/.config/opencode/opencode.json': json({ permission: { bash: 'deny' } }),
      'opencode.json': json({ permission: { bash: 'allow' } }),
    },
    [['shell', 'make', 'allow', '~/repo/opencode.json:3']],
  ],
  [
    'opencode: nothing written, everything allowed',
    'opencode',
    { '~/.config/opencode/opencode.json': '{}' },
    [['shell', 'make', 'allow', 'default']],
  ],
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

  it('opencode reads the settings above, up to the top of the repository; Claude Code does not', () => {
    using laid = lay({
      '~/opencode.json': json({ permission: { bash: 'deny' } }),
      'opencode.json': json({ permission: { bash: 'ask' } }),
      'packages/a/src/': '',
      '.claude/settings.json': json({ permissions: { deny: ['Bash(make:*)'] } }),
    });
    const question = (agent: string) => JSON.stringify({ agent, workspace: `${user}/repo/packages/a`, action: 'shell', target: 'make' });
    const given = ask(optionsFor(laid.root), parseQuestions(`${question('opencode')}\n${question('claude-code')}`)).answers;
    expect(given.map(({ mode, source }) => [mode, source.file])).toEqual([
      ['ask', `${user}/repo/opencode.json`],
      ['ask', null],
    ]);
  });

  it('names the question that is none', () => {
    expect(() => parseQuestions('{"agent":"claude-code","action":"fly","target":"x"}')).toThrow(/question 1: action/);
    expect(() => parseQuestions('{"agent":"nobody","action":"shell","target":"x"}')).toThrow(/question 1: agent/);
    expect(() => parseQuestions('nonsense')).toThrow(/question 1/);
  });
});
