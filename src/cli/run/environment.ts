// The environment inside: nothing of the user's but what is listed here, what the adapter sets, and what `--env` names.
import fs from 'node:fs';
import path from 'node:path';
import type { Credential, UserView } from '../../agents/index.ts';
import { IntramurError } from '../../core/index.ts';
import type { ResolvedProgram } from '../../sandbox/index.ts';

/** Variables about language and terminal. None of them holds a secret; without them a terminal program looks broken. */
const passed = /^(?:TERM|COLORTERM|TERM_PROGRAM|LANG|LANGUAGE|LC_[A-Z]+|TZ|NO_COLOR|FORCE_COLOR|CI|COLUMNS|LINES|EDITOR|VISUAL)$/;

const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Largest file of the user's that an adapter may look at, bytes. */
const maxFileBytes = 1024 * 1024;

export function baseEnvironment(env: Readonly<Record<string, string | undefined>>, home: string, user: string): Record<string, string> {
  const kept = Object.entries(env).flatMap(([name, value]) => (passed.test(name) && value !== undefined ? [[name, value] as const] : []));
  return {
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    ...Object.fromEntries(kept),
    HOME: home,
    USER: user,
    LOGNAME: user,
    SHELL: '/bin/bash',
    TMPDIR: '/tmp',
    // The workspace is a mount of its own: git would not look for the repository that it is a directory of.
    GIT_DISCOVERY_ACROSS_FILESYSTEM: '1',
  };
}

/** The program's own directory first and its interpreter's, so that it finds what it came with; then the system's. */
export function searchPath({ binDirs }: ResolvedProgram): string {
  return [...new Set([...binDirs, ...systemPath])].join(':');
}

/**
 * The variables that `--env` names, with a known credential replaced by its placeholder wherever it stands in the value.
 * @throws IntramurError USAGE for a name that is not set
 */
export function passedByName(
  names: readonly string[],
  env: UserView['env'],
  known: readonly Credential[],
  placeholders: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const value = env[name];
      if (value === undefined) throw new IntramurError('USAGE', `--env ${name === '' ? '""' : name}: this variable is not set`);
      return [name, known.reduce((text, { id, value: real }) => text.replaceAll(real, placeholders[id] ?? ''), value)];
    }),
  );
}

/** Which of the variables go inside as they are. */
export function unchanged(names: readonly string[], env: UserView['env'], known: readonly Credential[]): readonly string[] {
  return [...new Set(names)].filter((name) => !known.some(({ value }) => env[name]?.includes(value)));
}

/** @throws TypeError never; a missing or unreadable file is `undefined` */
export function userView(env: UserView['env'], home: string): UserView {
  return {
    env,
    readHome(name) {
      const file = path.join(home, name);
      try {
        const stat = fs.statSync(file);
        return stat.isFile() && stat.size <= maxFileBytes ? fs.readFileSync(file, 'utf8') : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
