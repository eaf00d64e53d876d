// Managed settings that follow from the policy: what an administrator puts where users and repositories cannot change it. They close what
// the audit reports as open: modes without questions, grants by repositories, telemetry, self-update. The sandbox stays the boundary.
import { stringify } from 'smol-toml';
import type { Vetting } from '../core/index.ts';

export interface ManagedFile {
  /** Where the agent looks for it on Linux. */
  readonly path: string;
  readonly text: string;
}

export interface ManagedPolicy {
  /** From `tools:` of the configuration. */
  readonly status: Vetting;
  /** For example `>=2.1.198`. */
  readonly versions: string | undefined;
}

const secretFiles = ['~/.ssh', '~/.aws', '~/.config/gcloud', '~/.azure', '~/.kube', '~/.docker', '~/.gnupg'] as const;
const secretNames = ['.env', '.env.*'] as const;

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Rules in the form that Claude Code and Qwen Code share. */
const denied: readonly string[] = [
  ...secretNames.flatMap((name) => [`Read(./${name})`, `Edit(./${name})`]),
  ...secretFiles.flatMap((dir) => [`Read(${dir}/**)`, `Edit(${dir}/**)`]),
];

/** opencode and Kilo Code read the same form. */
const opencodeLike = {
  share: 'disabled',
  autoupdate: false,
  permission: {
    bash: 'ask',
    edit: 'ask',
    webfetch: 'ask',
    external_directory: 'deny',
    read: { '*': 'allow', '*.env': 'deny', '*.env.*': 'deny' },
  },
} as const;

const emitters: Readonly<Record<string, (policy: ManagedPolicy) => readonly ManagedFile[]>> = {
  'claude-code': ({ versions }) => {
    const least = /^>=\s*([\d.]+)/.exec(versions ?? '')?.[1];
    return [
      {
        path: '/etc/claude-code/managed-settings.json',
        text: json({
          ...(least === undefined ? {} : { requiredMinimumVersion: least }),
          permissions: { deny: denied, disableBypassPermissionsMode: 'disable', defaultMode: 'default' },
          disableAutoMode: 'disable',
          enableAllProjectMcpServers: false,
          allowManagedHooksOnly: true,
          disableClaudeAiConnectors: true,
          sandbox: { enabled: true, failIfUnavailable: true, allowUnsandboxedCommands: false },
          env: { DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1', DISABLE_AUTOUPDATER: '1' },
        }),
      },
    ];
  },
  codex: () => [
    {
      path: '/etc/codex/requirements.toml',
      text: `${stringify({ allowed_approval_policies: ['on-request', 'untrusted'], allowed_sandbox_modes: ['workspace-write', 'read-only'], allow_managed_hooks_only: true, allow_remote_control: false })}\n`,
    },
    {
      path: '/etc/codex/managed_config.toml',
      text: `${stringify({ check_for_update_on_startup: false, analytics: { enabled: false }, feedback: { enabled: false }, otel: { exporter: 'none', log_user_prompt: false } })}\n`,
    },
  ],
  'gemini-cli': () => [
    {
      path: '/etc/gemini-cli/settings.json',
      text: json({
        general: { enableAutoUpdate: false, defaultApprovalMode: 'default' },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false, logPrompts: false },
        security: { disableYoloMode: true, folderTrust: { enabled: true }, environmentVariableRedaction: { enabled: true } },
      }),
    },
    {
      path: '/etc/gemini-cli/policies/organisation.toml',
      text: `# Must belong to root and be writable by root alone, else it is ignored.\n${stringify({
        rule: [
          { toolName: ['run_shell_command', 'write_file', 'replace', 'web_fetch'], decision: 'ask_user', priority: 500, interactive: true },
          {
            toolName: ['read_file', 'write_file', 'replace'],
            argsPattern: '"file_path":"[^"]*\\.env[."]',
            decision: 'deny',
            priority: 600,
          },
        ],
      })}\n`,
    },
  ],
  'qwen-code': () => [
    {
      path: '/etc/qwen-code/settings.json',
      text: json({
        general: { enableAutoUpdate: false },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        tools: { approvalMode: 'default' },
        security: { folderTrust: { enabled: true } },
        permissions: { deny: denied },
      }),
    },
  ],
  opencode: () => [
    {
      path: '/etc/opencode/opencode.json',
      text: json({
        $schema: 'https://opencode.ai/config.json',
        ...opencodeLike,
      }),
    },
  ],
  'kilo-code': () => [{ path: '/etc/kilo/kilo.json', text: json(opencodeLike) }],
  'copilot-vscode': () => [
    {
      path: '/etc/vscode/policy.json',
      text: json({ ChatToolsAutoApprove: false, ChatToolsTerminalEnableAutoApprove: false, TelemetryLevel: 'off' }),
    },
  ],
  auggie: () => [
    {
      path: '/etc/augment/settings.json',
      text: json({
        toolPermissions: ['launch-process', 'save-file', 'str-replace-editor', 'remove-files', 'web-fetch'].map((toolName) => ({
          toolName,
          permission: { type: 'ask-user' },
        })),
      }),
    },
  ],
  'copilot-cli': () => [
    { path: '/etc/github-copilot/managed-settings.json', text: json({ permissions: { disableBypassPermissionsMode: 'disable' } }) },
  ],
  amp: () => [
    {
      path: '/etc/ampcode/managed-settings.json',
      text: json({ 'amp.dangerouslyAllowAll': false, 'amp.permissions': [{ tool: 'Bash', action: 'ask' }] }),
    },
  ],
  droid: () => [{ path: '/etc/factory/settings.json', text: json({ maxAutonomyLevel: 'low' }) }],
};

export const managedAgents: readonly string[] = Object.keys(emitters);

/** `undefined` for agents without a managed scope. */
export function managedFor(agent: string, policy: ManagedPolicy): readonly ManagedFile[] | undefined {
  return Object.hasOwn(emitters, agent) ? emitters[agent]?.(policy) : undefined;
}
