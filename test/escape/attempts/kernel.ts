// System calls that the filter refuses, made for real by a small program compiled on the spot. Each must give exactly the answer that
// the filter gives: any other shows that the call reached the kernel.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { elf } from '../../../src/sandbox/elf.ts';
import { conditional, deniedCalls } from '../../../src/sandbox/seccomp-table.ts';
import type { Arch } from '../../../src/sandbox/syscall-number.ts';
import { type Argument, SyscallScript } from '../../../src/sandbox/syscall-script.ts';
import type { Attempt, Group } from '../attempt.ts';

interface Call {
  readonly id: string;
  readonly group: Group;
  readonly number: number;
  readonly args: readonly Argument[];
  readonly answer: number;
}

const arch: Arch = process.arch === 'arm64' ? 'arm64' : 'x64';
const [EPERM, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT] = [-1, -38, -93, -97];
const sigchld = 17;
/** A filter may look at the flags, so these are worth asking for. */
const newUser = 0x10000000;

const kernel = (id: string, number: number, args: readonly Argument[], answer: number): Call => ({
  id,
  group: 'kernel surface',
  number,
  args,
  answer,
});
const terminal = (id: string, request: bigint): Call => ({
  id,
  group: 'terminal',
  number: conditional.ioctl[arch],
  args: [0, request, 0],
  answer: EPERM,
});

const namespaces: readonly [string, number][] = [
  ['mount', 0x20000],
  ['cgroup', 0x02000000],
  ['uts', 0x04000000],
  ['ipc', 0x08000000],
  ['user', 0x10000000],
  ['pid', 0x20000000],
  ['network', 0x40000000],
];

const families: readonly [string, number, number][] = [
  ['packet', 17, 0],
  ['vsock (the hypervisor)', 40, 0],
  ['alg (kernel crypto)', 38, 0],
  ['bluetooth', 31, 0],
  ['can', 29, 0],
  ['xdp', 44, 0],
  ['tipc', 30, 0],
  ['rds', 21, 0],
  ['qipcrtr', 42, 0],
  ['smc', 43, 0],
  ['netlink netfilter', 16, 12],
  ['netlink audit', 16, 9],
  ['netlink uevent', 16, 15],
  ['netlink xfrm', 16, 6],
  ['netlink generic', 16, 16],
];

const protocols: readonly [string, number][] = [
  ['sctp', 132],
  ['dccp', 33],
  ['mptcp', 262],
  ['udplite', 136],
  ['raw', 255],
];

const calls: readonly Call[] = [
  ...deniedCalls.flatMap(({ name, number, answer }) => {
    const nr = number[arch];
    return nr === undefined
      ? []
      : [kernel(name, nr, [name === 'unshare' ? newUser : 0, 0, 0, 0, 0, 0], answer === 'absent' ? ENOSYS : EPERM)];
  }),
  ...namespaces.map(([name, flag]) =>
    kernel(`a new ${name} namespace by clone`, conditional.clone[arch], [flag | sigchld, 0, 0, 0, 0], EPERM),
  ),
  kernel('every namespace at once by clone', conditional.clone[arch], [0x7e020000 | sigchld, 0, 0, 0, 0], EPERM),
  ...families.map(([name, family, protocol]) =>
    kernel(`a socket of family ${name}`, conditional.socket[arch], [family, 3, protocol], EAFNOSUPPORT),
  ),
  ...protocols.map(([name, protocol]) =>
    kernel(`an internet socket for ${name}`, conditional.socket[arch], [2, 3, protocol], EPROTONOSUPPORT),
  ),
  kernel('a pair of internet sockets', conditional.socketpair[arch], [2, 1, 0, 0], EAFNOSUPPORT),
  kernel('a socket family with high bits set', conditional.socket[arch], [0x1_0000_0000n | 40n, 1, 0], EAFNOSUPPORT),
  kernel('a foreign personality', conditional.personality[arch], [0x0400000], EPERM),
  kernel('reading what is executable (personality)', conditional.personality[arch], [0x0400000 | 0x40000], EPERM),
  kernel('deciding the calls of others (seccomp listener)', conditional.seccomp[arch], [1, 8, 0], EPERM),
  ...(arch === 'x64'
    ? [kernel('the x32 ABI', 0x40000000 | 39, [], ENOSYS), kernel('ptrace by the x32 ABI', 0x40000000 | 521, [], ENOSYS)]
    : []),
  terminal('typing into the terminal (TIOCSTI)', 0x5412n),
  terminal('the same with high bits set', 0x1_0000_5412n),
  terminal('the same with all high bits set', 0xffff_ffff_0000_5412n),
  terminal('pasting into the console (TIOCLINUX)', 0x541cn),
  terminal('a line discipline (TIOCSETD)', 0x5423n),
  terminal('taking the console (TIOCCONS)', 0x541dn),
];

/** What another sandbox, or the kernel itself for want of a right, may say instead: the call had no effect. */
const refusals = [EPERM, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT, -13, -94, -95];
/** Of a terminal: no permission, switched off in the kernel, or not this kind of terminal. */
const terminalRefusals = [...refusals, -5, -25];

function program(asked: readonly Call[]): { file: string; bytes: number } {
  const script = new SyscallScript(2);
  const results = script.space(4 * asked.length);
  script.stage('asking');
  asked.forEach((call, i) => {
    script.attempt({ x64: call.number, arm64: call.number }, call.args, script.within(results, 4 * i, 4));
  });
  script.call('write', [1, results, results.bytes.length]);
  script.call('exit', [0]);
  const image = elf(script.build(), arch);
  for (const directory of ['/tmp', '.', '/dev/shm']) {
    const file = path.resolve(directory, `ask-${process.pid}`);
    try {
      fs.writeFileSync(file, image, { mode: 0o755 });
      return { file, bytes: results.bytes.length };
    } catch {
      // Not writable here.
    }
  }
  throw new Error('there is no directory to put a program into');
}

/** @returns one answer for each call; nothing when the program did not come back with one each: a process was made, or it was killed */
function ask(asked: readonly Call[]): { answers: readonly number[] | undefined; isKilled: boolean } {
  const { file, bytes } = program(asked);
  const { stdout, signal } = spawnSync(file, [], { stdio: ['inherit', 'pipe', 'ignore'], timeout: 5000 });
  fs.rmSync(file, { force: true });
  const answers = stdout?.length === bytes ? asked.map((_, i) => stdout.readInt32LE(4 * i)) : undefined;
  return { answers, isKilled: signal === 'SIGSYS' || signal === 'SIGKILL' };
}

let together: readonly number[] | undefined;

function isThrough(call: Call, i: number, isPeer: boolean): boolean {
  // One program for all is quick, but what gets through changes what comes after it.
  if (!isPeer) together ??= ask(calls).answers ?? [];
  let answer = together?.[i];
  if (answer === undefined) {
    const { answers, isKilled } = ask([call]);
    if (isKilled) return false;
    // A clone that worked has printed twice.
    answer = answers?.[0];
  }
  if (!isPeer) return answer !== call.answer;
  return answer === undefined || !(call.group === 'terminal' ? terminalRefusals : refusals).includes(answer);
}

export const kernelSurface: readonly Attempt[] = calls.map(
  (call, i): Attempt => ({
    id: call.id,
    group: call.group,
    layer: 'seccomp',
    inside: ({ isPeer }) => isThrough(call, i, isPeer),
  }),
);
