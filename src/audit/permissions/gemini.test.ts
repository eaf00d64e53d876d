import { describe, expect, it } from 'vitest';
import { user } from '../temporary-home.ts';
import { type AskedCase, answers, json } from './asked.ts';

const cases: readonly AskedCase[] = [
  [
    'gemini: the highest priority of tier and number',
    'gemini-cli',
    {
      '~/.gemini/policies/a.toml':
        '[[rule]]\ntoolName = "run_shell_command"\ndecision = "allow"\npriority = 100\n[[rule]]\ncommandPrefix = ["npm publish", "curl"]\ndecision = "ask_user"\npriority = 200\n',
      '~/.gemini/settings.json': json({ tools: { exclude: ['web_fetch'] }, mcpServers: { a: { command: 'x', trust: true } } }),
    },
    [
      ['shell', 'make', 'allow', '~/.gemini/policies/a.toml:1'],
      ['shell', 'npm publish', 'ask', '~/.gemini/policies/a.toml:5'],
      ['shell', 'make; curl x', 'ask'],
      ['shell', 'curlx', 'allow'],
      ['shell', 'make > /etc/x', 'ask'],
      ['network', 'https://x.example', 'deny'],
      ['mcp', 'a/b', 'allow'],
      ['mcp', 'c/d', 'ask'],
      ['read', 'a', 'allow'],
      ['write', 'a', 'ask'],
    ],
  ],
  [
    'gemini: 0.61 rejects a policy file with a rule that names no tool',
    'gemini-cli',
    {
      '/usr/lib/node_modules/@google/gemini-cli/package.json': '{"version":"0.61.0"}',
      '~/.gemini/policies/a.toml':
        '[[rule]]\ntoolName = "run_shell_command"\ndecision = "allow"\npriority = 100\n[[rule]]\ncommandPrefix = "rm"\ndecision = "deny"\npriority = 200\n',
      '~/.gemini/policies/b.toml':
        '[[rule]]\ntoolName = "run_shell_command"\ncommandPrefix = "touch"\ndecision = "allow"\npriority = 100\n',
    },
    [
      ['shell', 'touch a', 'allow'],
      ['shell', 'touch', 'allow'],
      ['shell', 'touchx', 'ask'],
      ['shell', 'rm x', 'ask'],
      ['shell', 'touch b && make', 'ask'],
      ['shell', 'touch c > d', 'ask'],
      ['shell', 'touch $(echo e)', 'ask'],
      ['read', '/etc/hostname', 'deny'],
    ],
  ],
  [
    'gemini: an untrusted folder brings no settings',
    'gemini-cli',
    { '~/.gemini/settings.json': '{}', '.gemini/settings.json': json({ tools: { allowed: ['run_shell_command'] } }) },
    [['shell', 'make', 'ask']],
  ],
  [
    'gemini: a trusted one does',
    'gemini-cli',
    {
      '~/.gemini/settings.json': '{ /* c */ }',
      '~/.gemini/trustedFolders.json': json({ [`${user}/repo`]: 'TRUST_FOLDER' }),
      '.gemini/settings.json': json({ tools: { allowed: ['run_shell_command(make)'] } }),
    },
    [
      ['shell', 'make all', 'allow'],
      ['shell', 'rm x', 'ask'],
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
