// The users as whom the sandbox is tried: the one that the tests run as, and, for root, an ordinary one beside it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

export interface Who {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** The command line that runs a program as this user. */
  command(argv: readonly [string, ...string[]]): [string, ...string[]];
}

const ordinaryName = 'intramur-test';

export function users(): readonly Who[] {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  if (uid !== 0) return [{ name: 'an ordinary user', uid, gid, command: (argv) => [...argv] }];
  const other = ordinary();
  return [
    { name: 'root', uid, gid, command: (argv) => [...argv] },
    {
      name: 'an ordinary user',
      ...other,
      command: (argv) => ['setpriv', '--reuid', String(other.uid), '--regid', String(other.gid), '--clear-groups', '--', ...argv],
    },
  ];
}

/** An account without a password, made once: its user namespaces and processes are then counted apart from everybody's. */
function ordinary(): { uid: number; gid: number } {
  const find = (): { uid: number; gid: number } | undefined => {
    const row = fs
      .readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((line) => line.startsWith(`${ordinaryName}:`))
      ?.split(':');
    return row && { uid: Number(row[2]), gid: Number(row[3]) };
  };
  const known = find();
  if (known) return known;
  try {
    execFileSync('useradd', ['--create-home', '--shell', '/bin/sh', ordinaryName], { stdio: 'ignore' });
  } catch {
    return { uid: 65533, gid: 65533 };
  }
  return find() ?? { uid: 65533, gid: 65533 };
}
