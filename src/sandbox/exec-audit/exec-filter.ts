// The seccomp program of the exec audit: every start of a program (execve, execveat) waits for the supervisor's answer, and so does, while
// a session is learnt from, every call that looks for a file by its path; every other call passes. It stands below the sandbox's own filter; of two answers the kernel takes the stricter.
import { allow, answer, auditArch, encode, type Instruction, killProcess, load, offset } from '../seccomp.ts';
import type { Arch } from '../syscall-number.ts';

export const execCalls = { execve: { x64: 59, arm64: 221 }, execveat: { x64: 322, arm64: 281 } } as const;

interface PathCall {
  readonly number: Readonly<Record<Arch, number | undefined>>;
  /** Place of the path among the arguments; the one before it, if any, is the directory that it is relative to. */
  readonly path: 0 | 1;
}

/** Calls by which programs look for files. */
export const pathCalls: readonly PathCall[] = [
  { number: { x64: 257, arm64: 56 }, path: 1 }, // openat
  { number: { x64: 262, arm64: 79 }, path: 1 }, // newfstatat
  { number: { x64: 332, arm64: 291 }, path: 1 }, // statx
  { number: { x64: 269, arm64: 48 }, path: 1 }, // faccessat
  { number: { x64: 439, arm64: 439 }, path: 1 }, // faccessat2
  { number: { x64: 437, arm64: 437 }, path: 1 }, // openat2
  { number: { x64: 2, arm64: undefined }, path: 0 }, // open
  { number: { x64: 4, arm64: undefined }, path: 0 }, // stat
  { number: { x64: 6, arm64: undefined }, path: 0 }, // lstat
  { number: { x64: 21, arm64: undefined }, path: 0 }, // access
];

const askSupervisor = 0x7fc00000;

/** @returns `struct sock_filter` records */
export function execFilter(arch: Arch, seesPaths: boolean): Buffer {
  const paths = seesPaths ? pathCalls.flatMap(({ number }) => number[arch] ?? []) : [];
  const ifEqual = (value: number, skipIfNot: number): Instruction => [0x15, 0, skipIfNot, value];
  return encode([
    load(offset.arch),
    // INVARIANT: a start in another ABI, whose numbers are others, ends the process. (x32's numbers are refused by the sandbox's filter.)
    [0x15, 1, 0, auditArch[arch]],
    answer(killProcess),
    load(offset.number),
    ...[execCalls.execve[arch], execCalls.execveat[arch], ...paths].flatMap((call) => [ifEqual(call, 1), answer(askSupervisor)]),
    answer(allow),
  ]);
}
