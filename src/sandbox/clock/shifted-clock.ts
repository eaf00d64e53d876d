// A wall clock of the sandbox's own: programs inside see a date that is not this machine's. What reads the clock without a system call is
// made to ask the kernel, and those calls are answered here. Clocks that only measure durations are left alone.
import fs from 'node:fs';
import { IntramurError } from '../../core/index.ts';
import { type Supervision, supervision } from '../supervision.ts';
import { answerBytes } from '../supervisor-script.ts';
import type { Arch } from '../syscall-number.ts';
import { clockCalls, clockFilter } from './clock-filter.ts';
import { clockPatches, vdsoBase } from './vdso.ts';

export interface ShiftedClockOptions {
  readonly arch: Arch;
  /** The first of two descriptors in the child. */
  readonly firstFd: number;
  readonly aheadMs: number;
}

const errno = { ESRCH: 3, EFAULT: 14 } as const;
/** Let the call happen as it was made. */
const goOn = Symbol('go on');
type Result = typeof goOn | { readonly value: bigint } | { readonly error: number };

/** @throws IntramurError SANDBOX_UNAVAILABLE where programs could see the true clock all the same */
export function shiftedClock({ arch, firstFd, aheadMs }: ShiftedClockOptions): Supervision {
  if (arch !== 'x64') throw new IntramurError('SANDBOX_UNAVAILABLE', 'the clock can be another one inside on x86_64 only');
  const patches = clockPatches();
  const deadlines = new Deadlines(BigInt(Math.round(aheadMs)) * 1_000_000n);
  const now = (): bigint => BigInt(Math.round((performance.timeOrigin + performance.now() + aheadMs) * 1000)) * 1000n;

  const resultOf = (call: Call, isInside: (pid: number) => boolean): Result => {
    const withMemory = (step: (memory: number) => Result): Result => withMemoryOf(call.pid, isInside, step);
    switch (call.number) {
      case clockCalls.arch_prctl:
        return withMemory((memory) => {
          const base = vdsoBase(call.pid);
          // INVARIANT: where this throws, the program's first call fails, and it does not run with the true clock.
          if (base > 0) for (const { at, code } of patches) writeAll(memory, code, base + at);
          return goOn;
        });
      case clockCalls.clock_gettime:
        return withMemory((memory) => told(memory, call.args[1], now()));
      case clockCalls.gettimeofday:
        return withMemory((memory) => (call.args[0] === 0n ? { value: 0n } : told(memory, call.args[0], now(), 1000n)));
      case clockCalls.time: {
        const seconds = now() / second;
        if (call.args[0] === 0n) return { value: seconds };
        return withMemory((memory) => {
          writeAll(memory, words(seconds), Number(call.args[0]));
          return { value: seconds };
        });
      }
      case clockCalls.futex:
      case clockCalls.clock_nanosleep:
        return withMemory((memory) => {
          deadlines.bring(memory, call.pid, call.number === clockCalls.futex ? call.args[3] : call.args[2]);
          return goOn;
        });
      default:
        return goOn;
    }
  };

  return supervision({
    key: 'clock',
    firstFd,
    filter: clockFilter(),
    respond(notices, say, isInside) {
      for (const notice of notices) say(answerTo(notice.readBigUInt64LE(0), resultOf(callIn(notice), isInside)));
    },
  });
}

interface Call {
  readonly pid: number;
  readonly number: number;
  readonly args: readonly [bigint, bigint, bigint, bigint];
}

/** Of `struct seccomp_notif` (seccomp_unotify(2)). */
function callIn(notice: Buffer): Call {
  const argument = (index: number): bigint => notice.readBigUInt64LE(32 + 8 * index);
  return { pid: notice.readUInt32LE(8), number: notice.readInt32LE(16), args: [argument(0), argument(1), argument(2), argument(3)] };
}

/** `struct seccomp_notif_resp`. */
function answerTo(id: bigint, result: Result): Buffer {
  const bytes = Buffer.alloc(answerBytes);
  bytes.writeBigUInt64LE(id, 0);
  if (result === goOn) bytes.writeUInt32LE(1, 20);
  else if ('error' in result) bytes.writeInt32LE(-result.error, 16);
  else bytes.writeBigInt64LE(result.value, 8);
  return bytes;
}

const second = 1_000_000_000n;

/** Seconds, and the rest in units of so many nanoseconds: `struct timespec`, or `struct timeval`. */
function told(memory: number, address: bigint, time: bigint, unit = 1n): Result {
  writeAll(memory, words(time / second, (time % second) / unit), Number(address));
  return { value: 0n };
}

/**
 * A time until which a program waits is one of its clock; the kernel waits by the true one. A program that waits again until the same
 * moment gives the same `struct timespec`, which was brought to the true clock before.
 */
class Deadlines {
  readonly #ahead: bigint;
  readonly #brought = new Map<string, bigint>();

  constructor(ahead: bigint) {
    this.#ahead = ahead;
  }

  bring(memory: number, pid: number, address: bigint): void {
    if (address === 0n) return;
    const bytes = Buffer.alloc(16);
    if (fs.readSync(memory, bytes, 0, 16, Number(address)) < 16) return;
    const at = `${pid} ${address}`;
    const until = bytes.readBigInt64LE(0) * second + bytes.readBigInt64LE(8);
    if (this.#brought.get(at) === until) return;
    const shifted = until - this.#ahead;
    const moment = shifted > 0n ? shifted : 0n;
    if (this.#brought.size > 10_000) this.#brought.clear();
    this.#brought.set(at, moment);
    writeAll(memory, words(moment / second, moment % second), Number(address));
  }
}

function words(...values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => bytes.writeBigInt64LE(value, 8 * i));
  return bytes;
}

/** What was opened stays that process's memory, whoever has its number by then. */
function withMemoryOf(pid: number, isInside: (pid: number) => boolean, step: (memory: number) => Result): Result {
  let memory: number;
  try {
    memory = fs.openSync(`/proc/${pid}/mem`, 'r+');
  } catch {
    return { error: errno.ESRCH };
  }
  try {
    return isInside(pid) ? step(memory) : { error: errno.ESRCH };
  } catch {
    return { error: errno.EFAULT };
  } finally {
    fs.closeSync(memory);
  }
}

function writeAll(memory: number, bytes: Buffer, address: number): void {
  if (fs.writeSync(memory, bytes, 0, bytes.length, address) !== bytes.length) throw new RangeError('the memory ends there');
}
