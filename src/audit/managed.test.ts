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
};

function withManaged(agent: string): Record<string, string> {
  const files = managedFor(agent, { status: 'vetted', versions: undefined }) ?? [];
  return { ...hostile[agent], ...Object.fromEntries(files.map(({ path, text }) => [path, text])) };
}

describe('managed settings hold against a user and a repository that want none', () => {
  // Gemini CLI's policy file must belong to root, so this one is told only where the tests run as root.
  it.each(Object.keys(hostile).filter((agent) => agent !== 'gemini-cli' || process.getuid?.() === 0))('%s', (agent) => {
    const question = JSON.stringify({ agent, workspace: `${user}/repo`, action: 'shell', target: 'make-anything --now' });
    using open = lay(hostile[agent] ?? {});
    using closed = lay(withManaged(agent));
    const modeIn = (root: string) => ask(optionsFor(root), parseQuestions(question)).answers[0]?.mode;
    expect(modeIn(open.root)).toBe('allow');
    expect(modeIn(closed.root)).not.toBe('allow');
  });

  it.each(managedAgents)('%s: what is emitted has no finding of its own above low', (agent) => {
    const files = managedFor(agent, { status: 'vetted', versions: undefined }) ?? [];
    const { findings } = auditOf(Object.fromEntries(files.map(({ path, text }) => [path, text])));
    const own = new Set(files.map(({ path }) => path));
    // Who owns the files of a test is whoever runs it.
    expect(
      findings
        .filter(
          ({ id, file, severity }) =>
            file !== null && own.has(file) && !['info', 'low'].includes(severity) && id !== 'FS-001' && id !== 'PERM-009',
        )
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
