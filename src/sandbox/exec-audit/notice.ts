// What the kernel asks and what it is answered: `struct seccomp_notif` and `struct seccomp_notif_resp` (seccomp_unotify(2)).

import { answerBytes } from '../supervisor-script.ts';
import type { Arch } from '../syscall-number.ts';
import { execCalls, pathCalls } from './exec-filter.ts';

export interface Notice {
  readonly id: bigint;
  /** A program is about to start, or a file is looked for. */
  readonly kind: 'start' | 'path';
  /** As the launcher sees it. 0 when the process is not visible from here. */
  readonly pid: number;
  /** Directory that the path is relative to; `undefined`: the current one. */
  readonly directoryFd: number | undefined;
  /** Addresses in the asking process. */
  readonly path: bigint;
  readonly argv: bigint;
  /** The descriptor itself is started, without a path (AT_EMPTY_PATH). */
  readonly isByDescriptor: boolean;
}

const atFdCwd = -100;
const atEmptyPath = 0x1000n;

export function readNotice(bytes: Buffer, arch: Arch): Notice {
  const argument = (index: number): bigint => bytes.readBigUInt64LE(32 + 8 * index);
  const number = bytes.readInt32LE(16);
  const lookup = pathCalls.find((call) => call.number[arch] === number);
  const isAt = lookup ? lookup.path === 1 : number === execCalls.execveat[arch];
  const directoryFd = Number(BigInt.asIntN(32, argument(0)));
  return {
    id: bytes.readBigUInt64LE(0),
    kind: lookup ? 'path' : 'start',
    pid: bytes.readUInt32LE(8),
    directoryFd: isAt && directoryFd !== atFdCwd ? directoryFd : undefined,
    path: argument(isAt ? 1 : 0),
    argv: argument(isAt ? 2 : 1),
    isByDescriptor: !lookup && isAt && (argument(4) & atEmptyPath) !== 0n,
  };
}

const eperm = 1;
const continueCall = 1;

export function writeAnswer(id: bigint, isAllowed: boolean): Buffer {
  const bytes = Buffer.alloc(answerBytes);
  bytes.writeBigUInt64LE(id, 0);
  if (isAllowed) bytes.writeUInt32LE(continueCall, 20);
  else bytes.writeInt32LE(-eperm, 16);
  return bytes;
}
