// The seccomp program: classic BPF over `struct seccomp_data` (seccomp(2)), assembled from the table. Bytes are passed to
// bubblewrap by descriptor, so there is no helper binary and nothing to compile.
import {
  conditional,
  deniedCalls,
  deniedIoctls,
  inetProtocols,
  newNamespaceFlags,
  personalities,
  seccompNewListener,
  socketFamilies,
} from './seccomp-table.ts';
import type { Arch } from './syscall-number.ts';

export const auditArch = { x64: 0xc000003e, arm64: 0xc00000b7 } as const satisfies Record<Arch, number>;
const x32Bit = 0x40000000;
const errno = { EPERM: 1, ENOSYS: 38, EPROTONOSUPPORT: 93, EAFNOSUPPORT: 97 } as const;

export const allow = 0x7fff0000;
export const killProcess = 0x80000000;
const fail = (error: number): number => 0x50000 | error;

/** Offsets in `struct seccomp_data`. Arguments are 64 bits, little-endian; their low half comes first. */
export const offset = { number: 0, arch: 4, argument: (index: number): number => 16 + 8 * index };

export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

export const load = (at: number): Instruction => [0x20, 0, 0, at];
export const answer = (value: number): Instruction => [0x06, 0, 0, value];
const skipUnlessEqual = (value: number, skip: number): Instruction => [0x15, 0, skip, value];
const skipUnlessAtLeast = (value: number, skip: number): Instruction => [0x35, 0, skip, value];
const skipUnlessAnyBit = (value: number, skip: number): Instruction => [0x45, 0, skip, value];

const answerIfEqual = (value: number, result: number): Instruction[] => [skipUnlessEqual(value, 1), answer(result)];

/** The instructions in `body` decide the call `number`; each way through them ends in an answer. */
const decide = (number: number, body: readonly Instruction[]): Instruction[] => [skipUnlessEqual(number, body.length), ...body];

/** @returns `struct sock_filter` records */
export function seccompProgram(arch: Arch): Buffer {
  const inet = [...Object.values(inetProtocols).flatMap((protocol) => answerIfEqual(protocol, allow)), answer(fail(errno.EPROTONOSUPPORT))];
  const ofInet: Instruction[] = [load(offset.argument(2)), ...inet];
  const program: Instruction[] = [
    load(offset.arch),
    // INVARIANT: a call made in another ABI (int 0x80 on x86_64) never reaches the table, whose numbers would mean other calls.
    [0x15, 1, 0, auditArch[arch]],
    answer(killProcess),
    load(offset.number),
    ...(arch === 'x64' ? [skipUnlessAtLeast(x32Bit, 1), answer(fail(errno.ENOSYS))] : []),

    ...decide(conditional.clone[arch], [
      load(offset.argument(0)),
      skipUnlessAnyBit(newNamespaceFlags, 1),
      answer(fail(errno.EPERM)),
      answer(allow),
    ]),
    ...decide(conditional.ioctl[arch], [
      load(offset.argument(1)),
      ...deniedIoctls.flatMap(({ request }) => answerIfEqual(request, fail(errno.EPERM))),
      answer(allow),
    ]),
    ...decide(conditional.socket[arch], [
      load(offset.argument(0)),
      ...answerIfEqual(socketFamilies.unix, allow),
      // Netlink only for routes, which the C library reads to list interfaces.
      skipUnlessEqual(socketFamilies.netlink, 4),
      load(offset.argument(2)),
      ...answerIfEqual(0, allow),
      answer(fail(errno.EAFNOSUPPORT)),
      skipUnlessEqual(socketFamilies.inet, ofInet.length),
      ...ofInet,
      skipUnlessEqual(socketFamilies.inet6, ofInet.length),
      ...ofInet,
      answer(fail(errno.EAFNOSUPPORT)),
    ]),
    ...decide(conditional.socketpair[arch], [
      load(offset.argument(0)),
      ...answerIfEqual(socketFamilies.unix, allow),
      answer(fail(errno.EAFNOSUPPORT)),
    ]),
    ...decide(conditional.personality[arch], [
      load(offset.argument(0)),
      ...personalities.flatMap((persona) => answerIfEqual(persona, allow)),
      answer(fail(errno.EPERM)),
    ]),
    ...decide(conditional.seccomp[arch], [
      load(offset.argument(1)),
      skipUnlessAnyBit(seccompNewListener, 1),
      answer(fail(errno.EPERM)),
      answer(allow),
    ]),
    ...deniedCalls.flatMap(({ number, answer: kind }) => {
      const value = number[arch];
      return value === undefined ? [] : answerIfEqual(value, fail(kind === 'absent' ? errno.ENOSYS : errno.EPERM));
    }),
    answer(allow),
  ];
  return encode(program);
}

export function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, ifTrue, ifFalse, value], i) => {
    bytes.writeUInt16LE(code, i * 8);
    bytes[i * 8 + 2] = ifTrue;
    bytes[i * 8 + 3] = ifFalse;
    bytes.writeUInt32LE(value >>> 0, i * 8 + 4);
  });
  return bytes;
}
