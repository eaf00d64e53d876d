// What the operating system says about a file, in one line with an exit code: a disk that is full or read-only, or a path that was named
// wrongly, is no bug of ours. Loaded when something has failed.
import fs from 'node:fs';
import path from 'node:path';
import { faults, fileReasons as reasons } from '../core/index.ts';

export interface FileFault {
  /** In one line, with the path where the system names one. */
  readonly says: string;
  /** 2 for a path that the user named, 3 for one that the product needs. */
  readonly exit: number;
}

/** By the system call; one that is not here is not about a file, or a mistake of ours. */
const acts: Readonly<Record<string, string>> = {
  access: 'use',
  chmod: 'change',
  copyfile: 'write',
  fsync: 'write',
  ftruncate: 'write',
  link: 'make',
  lstat: 'look at',
  mkdir: 'make',
  mkdtemp: 'make',
  open: 'open',
  opendir: 'read',
  read: 'read',
  readlink: 'read',
  realpath: 'look at',
  rename: 'write',
  rmdir: 'remove',
  scandir: 'read',
  stat: 'look at',
  symlink: 'make',
  unlink: 'remove',
  utime: 'change',
  write: 'write',
};

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;
}

/**
 * `undefined` for what is not about a file, and for a file of ours that is missing and that nobody was asked to name: that is a bug.
 * @param args the words of the command; those that are paths are the user's own
 */
export function fileFault(fault: unknown, args: readonly string[], cwd: string): FileFault | undefined {
  if (!isSystemError(fault)) return undefined;
  const place = fault.syscall === 'rename' ? fault.dest : fault.path;
  const isNamed = place !== undefined && pathsIn(args, cwd).some((named) => isAt(place, named));
  // A directory is made with all that lead to it, so one that is missing says only that those could not be made.
  const isMade = acts[fault.syscall] === 'make';
  if (fault.code === 'ENOENT' && !isNamed && !isMade) return undefined;
  const code = fault.code === 'ENOENT' && isMade && place !== undefined ? whyNotIn(place) : fault.code;
  return {
    says: `cannot ${acts[fault.syscall]}${place === undefined ? '' : ` ${shown(place)}`}: ${reasons[code]}`,
    exit: isNamed ? faults.USAGE.exit : faults.DAEMON_UNREACHABLE.exit,
  };
}

/** The system's words for why something cannot be done with a file. */
export function reasonOf(fault: unknown): string {
  return isSystemError(fault) ? (reasons[fault.code] ?? fault.code) : 'fault';
}

function isSystemError(fault: unknown): fault is SystemError {
  if (!(fault instanceof Error && 'code' in fault && 'syscall' in fault)) return false;
  const { code, syscall } = fault;
  return typeof code === 'string' && Object.hasOwn(reasons, code) && typeof syscall === 'string' && Object.hasOwn(acts, syscall);
}

function pathsIn(args: readonly string[], cwd: string): string[] {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  return own.map((arg) => path.resolve(cwd, arg.replace(/^--[\w-]+=/, '')));
}

/** The file itself, what it would be written as first, or something within it. */
function isAt(place: string, named: string): boolean {
  return place === named || place.startsWith(`${named}/`) || place.startsWith(`${named}.`);
}

/** Node says of a directory that it could not make only that one above is not there. */
function whyNotIn(place: string): string {
  for (let at = path.dirname(place); ; at = path.dirname(at)) {
    try {
      fs.accessSync(at, fs.constants.W_OK);
      return 'ENOENT';
    } catch (fault) {
      if (!isSystemError(fault)) return 'ENOENT';
      if (fault.code !== 'ENOENT' || at === path.dirname(at)) return fault.code;
    }
  }
}

const LONGEST = 200;

function shown(place: string): string {
  const plain = place.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
  return plain.length <= LONGEST ? plain : `${plain.slice(0, LONGEST / 2)}… (${plain.length} characters)`;
}
