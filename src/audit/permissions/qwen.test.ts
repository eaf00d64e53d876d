import { describe, expect, it } from 'vitest';
import { type AskedCase, answers, json } from './asked.ts';

const cases: readonly AskedCase[] = [
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
];

describe('what an agent would do, and which line says so', () => {
  it.each(cases)('%s', (_name, agent, files, questions) => {
    expect(answers(agent, files, questions)).toEqual(
      questions.map(([action, target, mode, source]) => (source === undefined ? [action, target, mode] : [action, target, mode, source])),
    );
  });
});
