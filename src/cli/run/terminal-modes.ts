// The modes of the user's terminal (termios(3)), as they were before the program ran: a program that is killed cannot put them back,
// and a terminal left raw and without echo looks broken. Node shows no modes; `stty -g` of POSIX does.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import tty from 'node:tty';

/** Not the user's PATH: these are the launcher's own programs. */
const env = { PATH: '/usr/bin:/bin' };

/**
 * Reads the modes of standard input while the caller goes on. The result is settled once they are known, and then puts them back.
 * Where standard input is no terminal, or there is no `stty`, it does nothing.
 */
export async function rememberTerminalModes(): Promise<() => void> {
  if (!tty.isatty(0)) return () => {};
  const modes = await readModes();
  // Colons and hexadecimal digits, or words: it stands in an argument, never in a script.
  if (!/^[\w:=]+$/.test(modes)) return () => {};
  return () => {
    if (isSomebodyElses()) return;
    // A shell that was killed inside may have kept the foreground for itself; who writes modes from the background is stopped,
    // unless SIGTTOU is ignored.
    spawnSync('sh', ['-c', 'trap "" TTOU; exec stty "$0"', modes], { env, stdio: ['inherit', 'ignore', 'ignore'] });
  };
}

async function readModes(): Promise<string> {
  const child = spawn('stty', ['-g'], { env, stdio: ['inherit', 'pipe', 'ignore'] });
  let modes = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    modes += text;
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('error', () => resolve()); // there is no stty: nothing is remembered
  child.once('close', () => resolve());
  await promise;
  return modes.trim();
}

/** True when a living process group that is not ours has the terminal: this command runs in the background. */
function isSomebodyElses(): boolean {
  // proc_pid_stat(5): the name in parentheses may hold anything; after it come state, parent, group, session, terminal, foreground group.
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  const [, , group, , , foreground] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  if (foreground === undefined || foreground <= 0 || foreground === group) return false;
  try {
    process.kill(-foreground, 0);
    return true;
  } catch (fault) {
    return !(fault instanceof Error && 'code' in fault && fault.code === 'ESRCH');
  }
}
