import { describe, expect, it } from 'vitest';
import { auditOf, user } from './temporary-home.ts';

type Files = Readonly<Record<string, string>>;
const manifest = (version: string): string => JSON.stringify({ version });

/** Each way in which an agent can be here, with what the report says of it. */
const ways: readonly (readonly [way: string, files: Files, id: string, presence: string, version: string | null])[] = [
  ['a global npm package', { '/usr/lib/node_modules/@openai/codex/package.json': manifest('0.169.0') }, 'codex', 'package', '0.169.0'],
  [
    'a package of nvm',
    { '~/.nvm/versions/node/v22.1.0/lib/node_modules/@qwen-code/qwen-code/package.json': manifest('0.24.4') },
    'qwen-code',
    'package',
    '0.24.4',
  ],
  [
    'a pip package',
    { '~/.local/lib/python3.12/site-packages/kimi_cli-1.2.3.dist-info/METADATA': 'Name: kimi-cli' },
    'kimi-code',
    'package',
    '1.2.3',
  ],
  [
    'a pipx environment',
    { '~/.local/share/pipx/venvs/aider-chat/lib/python3.11/site-packages/aider_chat-0.86.1.dist-info/METADATA': '' },
    'aider',
    'package',
    '0.86.1',
  ],
  ['a brew formula', { '/home/linuxbrew/.linuxbrew/Cellar/gemini-cli/0.61.0/README.md': '' }, 'gemini-cli', 'package', '0.61.0'],
  [
    'a VS Code extension',
    { '~/.vscode/extensions/github.copilot-chat-0.30.0/package.json': manifest('0.30.0') },
    'copilot-vscode',
    'extension',
    '0.30.0',
  ],
  [
    'the same in VSCodium',
    { '~/.vscode-oss/extensions/rooveterinaryinc.roo-cline-3.2.1/package.json': manifest('3.2.1') },
    'roo-code',
    'extension',
    '3.2.1',
  ],
  [
    'a JetBrains plugin',
    { '~/.local/share/JetBrains/IntelliJIdea2026.2/com.github.copilot/lib/plugin.jar': '' },
    'copilot-jetbrains',
    'extension',
    null,
  ],
  [
    'a JetBrains plugin on macOS',
    { '~/Library/Application Support/JetBrains/PyCharm2026.1/plugins/org.jetbrains.junie/lib/x.jar': '' },
    'junie',
    'extension',
    null,
  ],
  ['an application bundle', { '/Applications/Cursor.app/Contents/Info.plist': '' }, 'cursor', 'application', null],
  ['a program', { '/usr/local/bin/opencode': '#!/bin/sh\n' }, 'opencode', 'program', null],
  ['traces only', { '~/.codex/config.toml': 'model = "x"\n' }, 'codex', 'traces', null],
];

describe('an agent is found by', () => {
  it.each(ways)('%s', (_way, files, id, presence, version) => {
    const found = auditOf(files).facts.agents.filter(({ entry }) => entry.id === id);
    expect(found.map((one) => [one.presence, one.version ?? null])).toEqual([[presence, version]]);
    expect(found[0]?.entry.vendor).not.toBe('');
    expect(found[0]?.entry.jurisdiction).not.toBe('');
  });
});

describe('projects that lie outside the home are found', () => {
  const settings = JSON.stringify({ permissions: { allow: ['Bash'] } });
  it.each<[string, Files]>([
    ['Claude Code', { '~/.claude.json': JSON.stringify({ projects: { '/srv/my app': {} } }) }],
    ['VS Code', { '~/.config/Code/User/workspaceStorage/a1/workspace.json': '{"folder": "file:///srv/my%20app"}' }],
    ['Cursor', { '~/.config/Cursor/User/workspaceStorage/a1/workspace.json': '{"folder": "file:///srv/my%20app"}' }],
    [
      'JetBrains',
      { '~/.config/JetBrains/GoLand2026.2/options/recentProjects.xml': '<map><entry key="/srv/my app"><value/></entry></map>' },
    ],
  ])('when %s remembers them', (_name, memory) => {
    const place = '/srv/my app/.claude/settings.json';
    const { findings } = auditOf({ ...memory, '~/.claude/settings.json': '{}', [place]: settings });
    expect(findings.filter(({ file }) => file === place).map(({ id }) => id)).toContain('PROJ-004');
  });

  it('not on another machine, and a hostile list is no path', () => {
    const memory = {
      '~/.config/Code/User/workspaceStorage/a/workspace.json': '{"folder": "vscode-remote://ssh-remote+host/srv/app"}',
      '~/.config/Code/User/workspaceStorage/b/workspace.json': '{"folder": "file:///%E0%A4%A"}',
      '~/.config/JetBrains/GoLand2026.2/options/recentProjects.xml': '<entry key="$USER_HOME$"/><entry key="relative"/><entry key="/"/>',
    };
    expect(auditOf({ ...memory, '/srv/app/.claude/settings.json': settings }).facts.walk.workspaces.map(({ path }) => path)).toEqual([
      `${user}/repo`,
    ]);
  });
});
