// The filter, run by a small interpreter of classic BPF for both machines: each row of the table gives its answer, everything else passes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seccompProgram } from './seccomp.ts';
import { conditional, deniedCalls } from './seccomp-table.ts';
import type { Arch } from './syscall-number.ts';

const audit = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;
const [allow, EPERM, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT, kill] = [0x7fff0000, 0x50001, 0x50026, 0x5005d, 0x50061, 0x80000000];

/** Classic BPF (linux/filter.h): the instructions that the filter uses. Anything else is a fault of the test. */
function answer(program: Buffer, arch: number, number: number, args: readonly bigint[] = []): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((arg, i) => data.writeBigUInt64LE(BigInt.asUintN(64, arg), 16 + 8 * i));
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const [code, yes, no, value] = [
      program.readUInt16LE(at * 8),
      program[at * 8 + 2] ?? 0,
      program[at * 8 + 3] ?? 0,
      program.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x15) at += accumulator === value ? yes : no;
    else if (code === 0x35) at += accumulator >= value ? yes : no;
    else if (code === 0x45) at += (accumulator & value) >>> 0 ? yes : no;
    else throw new Error(`unexpected instruction ${code}`);
  }
  throw new Error('the program ran off its end');
}

describe.each<Arch>(['x64', 'arm64'])('the filter for %s', (arch) => {
  const program = seccompProgram(arch);
  const ask = (number: number, ...args: bigint[]): number => answer(program, audit[arch], number, args);
  const rows = deniedCalls.filter(({ number }) => number[arch] !== undefined);

  it('is within what the kernel takes', () => {
    expect(program.length / 8).toBeLessThanOrEqual(4096);
    expect(program.length % 8).toBe(0);
  });

  it.each(rows.map((row) => [row.name, row] as const))('%s', (_name, row) => {
    expect(ask(row.number[arch] ?? 0)).toBe(row.answer === 'absent' ? ENOSYS : EPERM);
  });

  it('names no call twice', () => {
    const numbers = [...rows.map((row) => row.number[arch]), ...Object.values(conditional).map((number) => number[arch])];
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it.each<[string, keyof typeof conditional, bigint[], number]>([
    ['a thread', 'clone', [0x3d0f00n], allow],
    ['a fork', 'clone', [0x1200011n], allow],
    ['a user namespace', 'clone', [0x10000011n], EPERM],
    ['a time namespace', 'clone', [0x80n], EPERM],
    ['TIOCSTI', 'ioctl', [0n, 0x5412n], EPERM],
    ['TIOCSTI with high bits', 'ioctl', [0n, 0x100005412n], EPERM],
    ['the size of the window', 'ioctl', [0n, 0x5413n], allow],
    ['a TCP socket', 'socket', [2n, 1n, 0n], allow],
    ['a TCP socket by name', 'socket', [10n, 1n, 6n], allow],
    ['a UDP socket', 'socket', [2n, 2n, 17n], allow],
    ['a local socket', 'socket', [1n, 1n, 0n], allow],
    ['netlink for routes', 'socket', [16n, 3n, 0n], allow],
    ['netlink for the firewall', 'socket', [16n, 3n, 12n], EAFNOSUPPORT],
    ['the hypervisor', 'socket', [40n, 1n, 0n], EAFNOSUPPORT],
    ['the hypervisor with high bits', 'socket', [0x100000028n, 1n, 0n], EAFNOSUPPORT],
    ['SCTP', 'socket', [2n, 1n, 132n], EPROTONOSUPPORT],
    ['SCTP over IPv6', 'socket', [10n, 1n, 132n], EPROTONOSUPPORT],
    ['a local pair', 'socketpair', [1n, 1n, 0n], allow],
    ['an internet pair', 'socketpair', [2n, 1n, 0n], EAFNOSUPPORT],
    ['the own personality', 'personality', [0xffffffffn], allow],
    ['another personality', 'personality', [0x0400000n], EPERM],
    ['an own filter', 'seccomp', [1n, 0n], allow],
    ['a filter with a listener', 'seccomp', [1n, 8n], EPERM],
    ['a filter with a listener among others', 'seccomp', [1n, 0x19n], EPERM],
  ])('%s', (_name, call, args, expected) => {
    expect(ask(conditional[call][arch], ...args)).toBe(expected);
  });

  it('kills a call made for another machine', () => {
    expect(answer(program, audit[arch === 'x64' ? 'arm64' : 'x64'], 1)).toBe(kill);
    expect(answer(program, 0x40000003, 1)).toBe(kill);
  });

  it('passes every call that is not in the table', () => {
    const known = new Set([...rows.map((row) => row.number[arch]), ...Object.values(conditional).map((number) => number[arch])]);
    fc.assert(fc.property(fc.integer({ min: 0, max: 0x3fffffff }), (number) => known.has(number) || ask(number) === allow));
  });

  it('knows no call of the x32 ABI', () => {
    if (arch === 'arm64') return; // there it does not exist
    fc.assert(fc.property(fc.integer({ min: 0x40000000, max: 0xffffffff }), (number) => ask(number) === ENOSYS));
  });
});
