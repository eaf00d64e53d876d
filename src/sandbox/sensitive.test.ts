import { describe, expect, it } from 'vitest';
import { sensitiveReason } from './sensitive.ts';

describe('what can run or steer later', () => {
  it.each([
    ...['.git/hooks/pre-commit', '.git/config', '.git/config.worktree', '.git/info/attributes', '.git/objects/info/alternates', '.git'],
    ...[
      '.git/rebase-merge/git-rebase-todo',
      '.git/rebase-apply/0001',
      '.git/sequencer/todo',
      '.git/worktrees/w/rebase-merge/git-rebase-todo',
    ],
    ...[
      '.git/modules/a/b/rebase-merge/git-rebase-todo',
      '.git/modules/a/worktrees/w/sequencer/todo',
      '.git/rebase-merge',
      '.git/SEQUENCER/x',
    ],
    ...['.git/modules/a/b/commondir', '.git/modules/a/worktrees/w/commondir', '.git/commondir'],
    ...[
      'a/b/.git/hooks/post-checkout',
      '.git/modules/lib/hooks/pre-push',
      '.git/modules/deep/lib/config',
      '.git/worktrees/w/gitdir',
      'vendor/x/.git',
    ],
    ...[
      '.claude/settings.json',
      'sub/.claude/commands/x.md',
      '.mcp.json',
      '.codex/config.toml',
      '.cursor/mcp.json',
      'opencode.json',
      'AGENTS.md',
      'x/CLAUDE.md',
    ],
    ...[
      '.vscode/tasks.json',
      '.idea/workspace.xml',
      '.devcontainer/devcontainer.json',
      'x.code-workspace',
      '.github/workflows/ci.yml',
      '.gitlab-ci.yml',
    ],
    ...['.envrc', '.npmrc', '.yarnrc.yml', '.bashrc', '.pre-commit-config.yaml', '.husky/pre-commit', '.gitattributes', '.gitmodules'],
    ...[
      'package.json',
      'packages/a/package.json',
      'Makefile',
      'build.rs',
      'setup.py',
      'conftest.py',
      'x.pth',
      'vite.config.ts',
      'Dockerfile',
      '.cargo/config.toml',
    ],
    ...['node_modules/.bin/eslint', '.venv/bin/activate', '.venv/pyvenv.cfg'],
    ...['.GIT/hooks/x', '.g\u200cit/config', '.Claude/settings.json', 'PACKAGE.JSON', 'ｐackage.json', '.git\u200b/hooks/x'],
  ])('%s', (file) => {
    expect(sensitiveReason(file)).toBeTypeOf('string');
  });

  it.each([
    ...[
      'src/index.ts',
      'README.md',
      'docs/hooks/intro.md',
      'config',
      'git/config',
      'hooks/pre-commit',
      'src/claude.ts',
      'package-lock.json',
      'lib/mcp.ts',
    ],
    ...[
      '.git/index',
      '.git/HEAD',
      '.git/refs/heads/main',
      '.git/refs/heads/rebase-merge/x',
      'sequencer/todo',
      'src/rebase-merge/index.ts',
      '.git/objects/ab/cdef',
      '.git/logs/HEAD',
      '.gitignore',
      'node_modules/x/package.json',
      'node_modules/x/index.js',
    ],
  ])('not %s', (file) => {
    expect(sensitiveReason(file)).toBeUndefined();
  });
});
