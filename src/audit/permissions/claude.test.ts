import { describe, expect, it } from 'vitest';
import { user } from '../temporary-home.ts';
import { type AskedCase, answers, json } from './asked.ts';

type Files = AskedCase[2];

const trusted: Files = { '~/.claude.json': json({ projects: { [`${user}/repo`]: { hasTrustDialogAccepted: true } } }) };
const claudeUser = (permissions: unknown, more: object = {}): Files => ({
  ...trusted,
  '~/.claude/settings.json': json({ permissions, ...more }),
});

const cases: readonly AskedCase[] = [
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
];

describe('what an agent would do, and which line says so', () => {
  it.each(cases)('%s', (_name, agent, files, questions) => {
    expect(answers(agent, files, questions)).toEqual(
      questions.map(([action, target, mode, source]) => (source === undefined ? [action, target, mode] : [action, target, mode, source])),
    );
  });
});
