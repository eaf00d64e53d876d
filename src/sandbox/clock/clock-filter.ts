// The seccomp program of a shifted clock: the calls that read or wait for the wall clock wait for the supervisor's answer, and so does the
// first call of every program that was started (on x86-64 the one that places its thread-local storage), when its vDSO is looked after.
import { allow, answer, auditArch, encode, type Instruction, killProcess, load, offset } from '../seccomp.ts';

/** Numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl). */
export const clockCalls = {
  gettimeofday: 96,
  arch_prctl: 158,
  time: 201,
  futex: 202,
  clock_gettime: 228,
  clock_nanosleep: 230,
} as const;

const askSupervisor = 0x7fc00000;
/** `ARCH_SET_FS` of arch_prctl(2). */
const setFs = 0x1002;
/** CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI. */
const wallClocks = [0, 5, 8, 11];
/** FUTEX_CLOCK_REALTIME: the time until which a futex(2) waits is one of the wall clock. */
const futexRealtime = 256;
const timerAbsolute = 1;

const ifEqual = (value: number, skipIfNot: number): Instruction => [0x15, 0, skipIfNot, value];
const ifAnyBit = (bits: number, skipIfNot: number): Instruction => [0x45, 0, skipIfNot, bits];

/** @returns `struct sock_filter` records */
export function clockFilter(): Buffer {
  const decide = (number: number, body: readonly Instruction[]): Instruction[] => [ifEqual(number, body.length), ...body];
  const askIfWallClock = wallClocks.flatMap((clock) => [ifEqual(clock, 1), answer(askSupervisor)]);
  return encode([
    load(offset.arch),
    // INVARIANT: a call in another ABI, whose clock would be the true one, ends the process.
    [0x15, 1, 0, auditArch.x64],
    answer(killProcess),
    load(offset.number),
    ...decide(clockCalls.clock_gettime, [load(offset.argument(0)), ...askIfWallClock, answer(allow)]),
    ...decide(clockCalls.futex, [load(offset.argument(1)), ifAnyBit(futexRealtime, 1), answer(askSupervisor), answer(allow)]),
    ...decide(clockCalls.arch_prctl, [load(offset.argument(0)), ifEqual(setFs, 1), answer(askSupervisor), answer(allow)]),
    ...decide(clockCalls.clock_nanosleep, [
      load(offset.argument(1)),
      ifAnyBit(timerAbsolute, 2),
      load(offset.argument(0)),
      [0x05, 0, 0, 1],
      answer(allow),
      ...askIfWallClock,
      answer(allow),
    ]),
    ...[clockCalls.gettimeofday, clockCalls.time].flatMap((number) => [ifEqual(number, 1), answer(askSupervisor)]),
    answer(allow),
  ]);
}
