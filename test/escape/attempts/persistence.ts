// What would run or be obeyed later, outside: written into the workspace. In overlay mode the write lands in the layer and comes back
// only by `apply`, which asks; in direct mode it fails.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type Attempt, markOf } from '../attempt.ts';

/** Below the workspace. The first ones exist at the start, with a content of their own. */
export const existing = [
  '.git/hooks/pre-commit',
  '.git/config',
  'nested/deep/er/.git/config',
  'nested/deep/er/.git/hooks/post-checkout',
  '.vscode/tasks.json',
];
const absent = [
  ...['.git/hooks/post-checkout', 'nested/deep/er/.git/hooks/pre-push', '.claude/settings.json', '.claude/settings.local.json'],
  ...[
    '.claude/commands/evil.md',
    '.claude/skills/evil/SKILL.md',
    '.claude/agents/evil.md',
    '.mcp.json',
    '.codex/config.toml',
    '.codex/hooks.json',
  ],
  ...[
    '.gemini/settings.json',
    '.gemini/.env',
    '.cursor/mcp.json',
    '.cursor/rules/evil.mdc',
    '.qwen/settings.json',
    '.opencode/plugins/evil.js',
  ],
  ...[
    'opencode.json',
    '.vscode/settings.json',
    '.vscode/mcp.json',
    '.idea/workspace.xml',
    '.zed/settings.json',
    '.envrc',
    '.husky/pre-commit',
  ],
  ...['.devcontainer/devcontainer.json', '.github/workflows/evil.yml', '.circleci/config.yml', '.gitlab-ci.yml', '.npmrc', '.yarnrc.yml'],
  ...[
    '.pnpmfile.cjs',
    '.mise.toml',
    '.pre-commit-config.yaml',
    'lefthook.yml',
    '.bashrc',
    '.profile',
    '.zshrc',
    '.gitconfig',
    '.windsurf/rules/evil.md',
  ],
  ...[
    '.roo/mcp.json',
    '.kiro/hooks/evil',
    '.amazonq/mcp.json',
    '.continue/config.yaml',
    '.agents/skills/evil/SKILL.md',
    '.clinerules/evil.md',
  ],
];

const layer = { overlay: 'copy-on-write layer', direct: 'read-only mount' } as const;

export const persistence: readonly Attempt[] = [
  ...[...existing, ...absent].map((name): Attempt => {
    const id = `plant ${name}`;
    return {
      id,
      group: 'persistence',
      layer,
      inside({ workspace, mode }) {
        const file = path.join(workspace, name);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, markOf(id));
        return mode === 'direct';
      },
      escaped: ({ read, place }) => read(path.join(place.workspace, name)).includes(markOf(id)),
    };
  }),
  {
    id: 'replace a protected file by a rename',
    group: 'persistence',
    layer,
    inside({ workspace, mode }) {
      const fresh = path.join(workspace, 'fresh');
      fs.writeFileSync(fresh, markOf('replace'));
      fs.renameSync(fresh, path.join(workspace, '.mcp.json'));
      return mode === 'direct';
    },
    escaped: ({ read, place }) => read(path.join(place.workspace, '.mcp.json')).includes(markOf('replace')),
  },
  {
    id: 'replace a protected directory by a link',
    group: 'persistence',
    layer,
    inside({ workspace, mode }) {
      fs.rmSync(path.join(workspace, '.cursor'), { recursive: true, force: true });
      fs.symlinkSync('elsewhere', path.join(workspace, '.cursor'));
      return mode === 'direct';
    },
    escaped: ({ exists, place }) => exists(path.join(place.workspace, '.cursor')),
  },
  {
    id: 'open a protected file for writing by its descriptor',
    group: 'persistence',
    layer,
    inside({ workspace, mode }) {
      const fd = fs.openSync(path.join(workspace, '.git/config'), 'r');
      fs.appendFileSync(`/proc/self/fd/${fd}`, markOf('descriptor'));
      return mode === 'direct';
    },
    escaped: ({ read, place }) => read(path.join(place.workspace, '.git/config')).includes(markOf('descriptor')),
  },
  {
    // In direct mode they are there; that they are named then is asked of the whole workspace.
    id: 'leave what gains rights, and what is no file',
    group: 'persistence',
    layer,
    oursAlone: 'a workspace may hold such things',
    inside({ workspace }) {
      const file = path.join(workspace, 'odd-setuid');
      fs.copyFileSync('/bin/true', file);
      fs.chmodSync(file, 0o4755);
      spawnSync('mkfifo', [path.join(workspace, 'odd-pipe')]);
      fs.symlinkSync('../..', path.join(workspace, 'odd-link'));
      return false;
    },
    escaped: ({ exists, place }) =>
      place.mode === 'overlay' && ['odd-setuid', 'odd-pipe', 'odd-link'].some((name) => exists(path.join(place.workspace, name))),
  },
  ...['.git', 'nested', 'nested/deep', '.github', '.vscode', '.claude'].map((dir): Attempt => {
    const id = `rename the parent: ${dir}`;
    return {
      id,
      group: 'persistence',
      layer,
      inside({ workspace, mode }) {
        fs.renameSync(path.join(workspace, dir), path.join(workspace, `${dir}-renamed`));
        return mode === 'direct';
      },
      escaped: ({ exists, place }) => exists(path.join(place.workspace, `${dir}-renamed`)),
    };
  }),
];
