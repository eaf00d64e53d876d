// Keys that the user has in the environment, and how programs ask for them.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import type { Attempt } from '../attempt.ts';

const group = 'credentials';

/** Set on the launcher, each with a canary. */
export const secretVariables = [
  ...[
    'ANTHROPIC_API_KEY',
    'OPENAI_API_KEY',
    'GEMINI_API_KEY',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'GITHUB_TOKEN',
    'NPM_TOKEN',
    'DATABASE_URL',
  ],
  ...[
    'SSH_AUTH_SOCK',
    'GPG_AGENT_INFO',
    'DBUS_SESSION_BUS_ADDRESS',
    'KUBECONFIG',
    'DOCKER_HOST',
    'HTTPS_PROXY',
    'LD_PRELOAD_CANARY',
    'NODE_CHANNEL_FD',
  ],
] as const;

const output = (command: string, args: readonly string[], input = ''): string =>
  spawnSync(command, args, { encoding: 'latin1', input }).stdout ?? '';

export const credentials: readonly Attempt[] = [
  ...secretVariables.map(
    (name): Attempt => ({
      id: `the variable ${name}`,
      group,
      layer: 'empty environment',
      ...(name === 'NODE_CHANNEL_FD' ? { oursAlone: 'a variable of our own launcher' } : {}),
      inside: () => (process.env[name] === undefined ? false : (process.env[name] ?? '')),
    }),
  ),
  // The shell that starts the attempts adds its own directory.
  {
    id: 'the whole environment',
    group,
    oursAlone: 'others set variables of their own, which are no leak',
    layer: 'empty environment',
    inside: () => Object.keys(process.env).some((name) => !['HOME', 'PATH', 'PWD', 'OLDPWD', '_', 'SHLVL'].includes(name)),
  },
  { id: 'the environment of a child', group, layer: 'empty environment', inside: () => output('env', []) },
  {
    id: 'the own environment as it began',
    group,
    layer: 'empty environment',
    inside: () => fs.readFileSync('/proc/self/environ', 'latin1'),
  },
  {
    id: 'git credential fill',
    group,
    layer: 'mount namespace',
    inside: () => output('git', ['credential', 'fill'], 'protocol=https\nhost=github.com\n\n'),
  },
  { id: 'keys of an ssh agent', group, layer: 'empty environment', inside: () => output('ssh-add', ['-L']) },
  { id: 'memory of the parent', group, layer: 'pid namespace', inside: () => fs.readFileSync(`/proc/${process.ppid}/mem`).length > 0 },
];
