import { describe, expect, it } from 'vitest';
import { ask, parseQuestions } from '../ask.ts';
import { lay, optionsFor, user } from '../temporary-home.ts';
import { type AskedCase, answers, json } from './asked.ts';

const cases: readonly AskedCase[] = [
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
});
