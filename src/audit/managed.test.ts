import { describe, expect, it } from 'vitest';
import { ask, parseQuestions } from './ask.ts';
import { managedAgents, managedFor } from './managed.ts';
import { auditOf, lay, optionsFor, user } from './temporary-home.ts';

/** A user and a repository that switch everything off. */
const hostile: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'claude-code': {
    '~/.claude.json': JSON.stringify({ projects: { [`${user}/repo`]: { hasTrustDialogAccepted: true } } }),
    '~/.claude/settings.json': JSON.stringify({ permissions: { defaultMode: 'bypassPermissions' } }),
    '.claude/settings.json': JSON.stringify({ permissions: { defaultMode: 'bypassPermissions' } }),
  },
  codex: { '~/.codex/config.toml': 'approval_policy = "never"\nsandbox_mode = "danger-full-access"\n' },
  'gemini-cli': {
    '~/.gemini/settings.json': JSON.stringify({ tools: { allowed: ['run_shell_command'] } }),
    '~/.gemini/policies/a.toml': '[[rule]]\ntoolName = "*"\ndecision = "allow"\npriority = 999\n',
  },
  'qwen-code': {
    '~/.qwen/settings.json': JSON.stringify({ tools: { approvalMode: 'yolo' } }),
    '.qwen/settings.json': JSON.stringify({ tools: { approvalMode: 'yolo' } }),
  },
  opencode: {
    '~/.config/opencode/opencode.json': JSON.stringify({ permission: 'allow' }),
    'opencode.json': JSON.stringify({ permission: { bash: 'allow', edit: 'allow' } }),
  },
  droid: { '~/.factory/settings.json': JSON.stringify({ autonomyLevel: 'high' }) },
  amp: { '~/.config/amp/settings.json': JSON.stringify({ 'amp.dangerouslyAllowAll': true }) },
  auggie: {
    '.augment/settings.json': JSON.stringify({ toolPermissions: [{ toolName: 'launch-process', permission: { type: 'allow' } }] }),
  },
  'kilo-code': {
    '~/.config/kilo/kilo.json': JSON.stringify({ permission: 'allow' }),
    'kilo.json': JSON.stringify({ permission: 'allow' }),
  },
  'copilot-vscode': {
    '~/.config/Code/User/settings.json': JSON.stringify({
      'chat.tools.global.autoApprove': true,
      'chat.tools.terminal.autoApprove': { '/.*/': true },
    }),
  },
};

/** What the policy intends for each agent, against the above: a command, a file here, .env here, a key of the user, another host. */
const intended: Readonly<Record<string, readonly string[]>> = {
  'claude-code': ['sandboxed managed', 'ask default', 'deny managed', 'deny managed', 'ask default'],
  // Codex has no rules for single files in this scope; its sandbox and its questions are what an administrator can require.
  codex: ['sandboxed managed', 'sandboxed managed', 'sandboxed managed', 'sandboxed managed', 'ask managed'],
  'gemini-cli': ['ask managed', 'ask managed', 'deny managed', 'deny default', 'ask managed'],
  'qwen-code': ['ask managed', 'ask managed', 'deny managed', 'deny managed', 'ask managed'],
  opencode: ['ask managed', 'ask managed', 'deny managed', 'deny managed', 'ask managed'],
  'kilo-code': ['ask managed', 'ask managed', 'deny managed', 'deny managed', 'ask managed'],
  // The rest have a managed scope that reaches less far: what stays open is said by the audit, and the sandbox closes it.
  droid: ['ask default', 'allow managed', 'allow default', 'ask default', 'ask default'],
  amp: ['ask managed', 'allow default', 'allow default', 'allow default', 'allow default'],
  auggie: ['ask managed', 'ask managed', 'allow default', 'allow default', 'ask managed'],
  'copilot-vscode': ['ask managed', 'allow default', 'allow default', 'ask default', 'ask managed'],
};

function withManaged(agent: string): Record<string, string> {
  const files = managedFor(agent, { status: 'vetted', versions: undefined }) ?? [];
  return { ...hostile[agent], ...Object.fromEntries(files.map(({ path, text }) => [path, text])) };
}

describe('managed settings hold against a user and a repository that want none', () => {
  it.each(Object.keys(hostile))('%s', (agent) => {
    const question = JSON.stringify({ agent, workspace: `${user}/repo`, action: 'shell', target: 'make-anything --now' });
    using open = lay(hostile[agent] ?? {});
    using closed = lay(withManaged(agent));
    const modeIn = (root: string) => ask(optionsFor(root), parseQuestions(question)).answers[0]?.mode;
    expect(modeIn(open.root)).toBe('allow');
    expect(modeIn(closed.root)).not.toBe('allow');
  });

  it.each(Object.keys(hostile))('%s: the audit reads back what was intended, and that the administrator said so', (agent) => {
    const questions = [
      ['shell', 'make-anything --now'],
      ['write', `${user}/repo/src/a.ts`],
      ['read', `${user}/repo/.env`],
      ['read', `${user}/.ssh/id_rsa`],
      ['network', 'https://unknown.example/'],
    ].map(([action, target]) => JSON.stringify({ agent, workspace: `${user}/repo`, action, target }));
    using closed = lay(withManaged(agent));
    const { answers } = ask(optionsFor(closed.root), parseQuestions(questions.join('\n')));
    expect(answers.map(({ mode, source }) => `${mode} ${source.scope}`)).toEqual(intended[agent]);
  });

  it.each(managedAgents)('%s: what is emitted has no finding of its own above low', (agent) => {
    const files = managedFor(agent, { status: 'vetted', versions: undefined }) ?? [];
    const { findings } = auditOf(Object.fromEntries(files.map(({ path, text }) => [path, text])));
    const own = new Set(files.map(({ path }) => path));
    expect(
      findings
        .filter(({ file, severity }) => file !== null && own.has(file) && !['info', 'low'].includes(severity))
        .map(({ id, message }) => `${id} ${message}`),
    ).toEqual([]);
  });

  it('a vetted range becomes a required version', () => {
    const [file] = managedFor('claude-code', { status: 'vetted', versions: '>=2.1.198' }) ?? [];
    expect(JSON.parse(file?.text ?? '{}')).toMatchObject({
      requiredMinimumVersion: '2.1.198',
      permissions: { disableBypassPermissionsMode: 'disable' },
    });
  });
});
