// The environment inside: nothing of the user's but what is listed here, what the adapter sets, and what `--env` names.
import fs from 'node:fs';
import path from 'node:path';
import type { UserView } from '../../agents/index.ts';

/** Variables about language and terminal. None of them holds a secret; without them a terminal program looks broken. */
const passed = /^(?:TERM|COLORTERM|TERM_PROGRAM|LANG|LANGUAGE|LC_[A-Z]+|TZ|NO_COLOR|FORCE_COLOR|CI|COLUMNS|LINES|EDITOR|VISUAL)$/;

const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Largest file of the user's that an adapter may look at, bytes. */
const maxFileBytes = 1024 * 1024;

export function baseEnvironment(env: Readonly<Record<string, string | undefined>>, home: string, user: string): Record<string, string> {
  const kept = Object.entries(env).flatMap(([name, value]) => (passed.test(name) && value !== undefined ? [[name, value] as const] : []));
  return { LANG: 'C.UTF-8', TERM: 'dumb', ...Object.fromEntries(kept), HOME: home, USER: user, LOGNAME: user, SHELL: '/bin/bash', TMPDIR: '/tmp' };
}

/** The program's own directories first, so that it finds its interpreter; then the system's. */
export function searchPath(directories: readonly string[]): string {
  return [...new Set([...directories, ...systemPath])].join(':');
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
