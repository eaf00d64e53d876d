// The seccomp program of the exec audit: every start of a program (execve, execveat) waits for the supervisor's answer, every other
// call passes. It stands below the sandbox's own filter; of two answers the kernel takes the stricter.
import { allow, answer, auditArch, encode, type Instruction, killProcess, load, offset } from '../seccomp.ts';
import type { Arch } from '../syscall-number.ts';

export const execCalls = { execve: { x64: 59, arm64: 221 }, execveat: { x64: 322, arm64: 281 } } as const;

const askSupervisor = 0x7fc00000;

/** @returns `struct sock_filter` records */
export function execFilter(arch: Arch): Buffer {
  const ifEqual = (value: number, skipIfNot: number): Instruction => [0x15, 0, skipIfNot, value];
  return encode([
    load(offset.arch),
    // INVARIANT: a start in another ABI, whose numbers are others, ends the process. (x32's numbers are refused by the sandbox's filter.)
    [0x15, 1, 0, auditArch[arch]],
    answer(killProcess),
    load(offset.number),
    ifEqual(execCalls.execve[arch], 1),
    answer(askSupervisor),
    ifEqual(execCalls.execveat[arch], 1),
    answer(askSupervisor),
    answer(allow),
  ]);
}
