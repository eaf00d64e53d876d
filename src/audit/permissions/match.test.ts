import { describe, expect, it } from 'vitest';
import { auditOf } from '../temporary-home.ts';
import { answers, json } from './asked.ts';
import { matchesExpression } from './expression.ts';
import { matchesGlob } from './paths.ts';

const expressions = [
  ...[
    '^git (?!push)\\w+$',
    'a{2}b',
    'a{2,}b',
    '^a{1,2}$',
    '(a|b)+c?$',
    '[^a-c\\]]x',
    '\\bgit\\b',
    'x\\.y',
    '^$',
    'a{',
    ']',
    '}',
    '.',
    '\\x41',
  ],
  ...['(?<=a)b', '(?<!a)b', '(?<n>a)b', '^(?:rm|cp)\\s+-\\w*r', 'a*?b', '(a*)*$', '(?=.*b)a', '\\u0041', '[\\d.]+$', '\\/tmp\\/.*'],
];
const texts = [
  '',
  'a',
  'ab',
  'aab',
  'aaab',
  'b',
  'git push',
  'git log',
  'a git',
  'x.y',
  'xzy',
  'A',
  'dx',
  ']x',
  'rm -fr x',
  'a{',
  '}',
  '/tmp/1.2',
  '\n',
];

/** Each would take a backtracking engine longer than a test may. */
const globs = [
  `${'**?'.repeat(25)}{Z}`,
  `${'*a'.repeat(400)}`,
  '{a,b}'.repeat(400),
  `${'{**,?}'.repeat(300)}`,
  '{'.repeat(3000),
  '**'.repeat(90_000),
];
const slow = [
  '(a|a)*b',
  '(a|aa)+$',
  `${'.*'.repeat(30)}x`,
  `${'a?'.repeat(30)}${'a'.repeat(30)}$`,
  '((a*)*)*b',
  '(?:a{0,99}){0,99}b',
  '(a*)\\1*b',
  `${'(a|a)'.repeat(60)}b`,
];

/** How long it takes, in milliseconds. */
function timeOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

describe('expressions and globs without going back', () => {
  it.each(expressions)('%s says what RegExp says', (source) => {
    expect(texts.map((text) => [text, matchesExpression(source, text)])).toEqual(
      texts.map((text) => [text, new RegExp(source).test(text)]),
    );
  });

  it('globs', () => {
    const cases = [
      ...[
        ['a/**/b', 'a/b', true],
        ['a/**/b', 'a/x/y/b', true],
        ['**/b', 'b', true],
        ['a/*', 'a/b/c', false],
        ['a**', 'a/b', true],
      ],
      ...[
        ['a?', 'a/', false],
        ['{a,b*}/c', 'bx/c', true],
        ['{a,b', '{a,b', true],
        ['[a]', 'a', false],
        ['{**/a,b}', 'x/a', true],
      ],
    ] as const;
    expect(cases.map(([glob, text]) => [glob, text, matchesGlob(glob, text)])).toEqual(cases);
  });

  it.each(slow)('the expression %s ends soon', (source) => {
    const text = `${'a'.repeat(300)}!`;
    const plain = timeOf(() => matchesExpression('b', text));
    expect(timeOf(() => matchesExpression(source, text))).toBeLessThan(1000 + 100 * plain);
  });

  it('what is not understood may allow everything and forbids nothing', () => {
    const zed = (list: string) => ({
      '~/.config/zed/settings.json': json({
        agent: { tool_permissions: { tools: { terminal: { default: 'confirm', [list]: [{ pattern: '(a)\\1' }] } } } },
      }),
    });
    expect(answers('zed', zed('always_deny'), [['shell', 'aa', 'ask']])).toEqual([['shell', 'aa', 'ask']]);
    expect(answers('zed', zed('always_allow'), [['shell', 'b', 'allow']])).toEqual([['shell', 'b', 'allow']]);
  });
});

describe('a rule of a repository does not hold up the audit', () => {
  const plain = timeOf(() => auditOf({ '~/.claude.json': '{}', '.claude/settings.json': json({ permissions: { deny: ['Read(//a)'] } }) }));
  const soon = 5000 + 100 * plain;

  it.each(globs.map((glob) => [glob.slice(0, 20), glob]))('Claude Code: %s', (_name, glob) => {
    const files = {
      '~/.claude.json': '{}',
      '.claude/settings.json': json({ permissions: { deny: [`Read(//${glob})`, `Read(${glob})`], allow: [`Edit(${glob})`] } }),
    };
    let found = false;
    const time = timeOf(() => {
      found = auditOf(files).effective.some(({ agent, action }) => agent === 'claude-code' && action === 'read');
    });
    expect([found, time < soon]).toEqual([true, true]);
  });

  it.each(slow)('Zed and Gemini CLI: %s', (pattern) => {
    const files = {
      '~/.config/zed/settings.json': json({ agent: { tool_permissions: { tools: { terminal: { always_deny: [{ pattern }] } } } } }),
      '~/.gemini/policies/a.toml': `[[rule]]\ntoolName = "run_shell_command"\ncommandRegex = ${JSON.stringify(pattern)}\ndecision = "deny"\npriority = 1\n`,
    };
    let agents: readonly string[] = [];
    const time = timeOf(() => {
      agents = auditOf(files).effective.map(({ agent }) => agent);
    });
    expect([agents.includes('zed'), agents.includes('gemini-cli'), time < soon]).toEqual([true, true, true]);
  });

  it.each([
    ['spaces inside a rule', `Bash${' '.repeat(90_000)}x`],
    ['spaces in a command', `Bash(a${' '.repeat(90_000)}x)`],
  ])('%s', (_name, rule) => {
    const time = timeOf(() =>
      auditOf({ '~/.claude.json': '{}', '.claude/settings.json': json({ permissions: { deny: [rule], allow: [rule] } }) }),
    );
    expect(time).toBeLessThan(soon);
  });
});
