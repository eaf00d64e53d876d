// The supervisor of system calls, as part of the init: two small processes between the kernel's notifications (seccomp_unotify(2))
// and the launcher, one in each direction. They decide nothing. It needs no foreign-function interface and no native code beside the
// init: the launcher reads notifications from a socket and writes answers to another.
//
//   kernel ── SECCOMP_IOCTL_NOTIF_RECV ──► reader ── asks ──► launcher
//   kernel ◄─ SECCOMP_IOCTL_NOTIF_SEND ─── writer ◄─ answers ─ launcher
//
// INVARIANT: a supervisor that dies lets no supervised call through. The kernel fails every call whose listener is gone; each of the two
// ends when the other does, when bubblewrap does, or when the launcher does.
import type { Datum, Label, SyscallScript } from './syscall-script.ts';

/** `struct seccomp_notif` and `struct seccomp_notif_resp`. */
export const noticeBytes = 80;
export const answerBytes = 24;

export interface SupervisorFds {
  /** Notifications go here. */
  readonly asks: number;
  /** Answers come from here. */
  readonly answers: number;
}

/** Where the supervisor keeps its three descriptors, above all that it inherits and closes. */
const own = { listener: 210, asks: 211, answers: 212 } as const;

const oCloexec = 0o2000000;
const childSignal = 17;
const [setPdeathsig, sigkill] = [1, 9];
const ioctls = { receive: 0xc0502100, send: 0xc0182101 } as const;
/** SECCOMP_FILTER_FLAG_NEW_LISTENER; WAIT_KILLABLE_RECV keeps a signal from asking the same start twice. */
const flags = { newListener: 8, waitKillable: 32 } as const;

export interface Supervisor {
  /** What the supervisor itself does; to be placed where the init's own path never comes. */
  placeLoops(): void;
}

/**
 * From here on every call that `filter` (`struct sock_filter` records) answers with SECCOMP_RET_USER_NOTIF waits for the launcher, those
 * of the init included.
 */
export function supervise(
  script: SyscallScript,
  { asks, answers }: SupervisorFds,
  { filter, canWaitKillable }: { readonly filter: Buffer; readonly canWaitKillable: boolean },
): Supervisor {
  const [slot, pair] = [script.space(8), script.space(8)];
  const [ours, theirs] = [script.within(pair, 0, 4), script.within(pair, 4, 4)];
  const supervisor = script.label();
  script.stage('the supervisor of system calls');
  script.call('socketpair', [1, 1 | oCloexec, 0, pair]);
  script.call('clone', [childSignal, 0, 0, 0, 0], { store: slot });
  script.jump(supervisor, slot);
  const program = script.words([filter.length / 8, script.bytes(filter)]);
  const handover = descriptorMessage(script);
  script.stage('the filter of supervised calls');
  // The right to do so without PR_SET_NO_NEW_PRIVS comes with the namespace that was just made.
  script.call('seccomp', [1, flags.newListener | (canWaitKillable ? flags.waitKillable : 0), program], { store: handover.descriptor });
  script.call('sendmsg', [{ load: ours }, handover.message, 0], { exactly: 1 });
  script.call('close', [{ load: handover.descriptor }]);

  return {
    placeLoops() {
      const received = descriptorMessage(script);
      script.place(supervisor);
      script.stage('the supervisor');
      // Out of reach of the keys of a terminal, and of a program that signals its process group.
      script.call('setsid', []);
      script.call('prctl', [setPdeathsig, sigkill, 0, 0, 0]);
      script.call('close', [{ load: ours }]);
      script.call('recvmsg', [{ load: theirs }, received.message, 0], { exactly: 1 });
      script.call('dup3', [{ load: received.descriptor }, own.listener, oCloexec]);
      script.call('dup3', [asks, own.asks, oCloexec]);
      script.call('dup3', [answers, own.answers, oCloexec]);
      script.call('close_range', [0, own.listener - 1, 0]);
      script.call('close_range', [own.answers + 1, 0xffffffff, 0]);
      const reader = script.label();
      script.call('clone', [childSignal, 0, 0, 0, 0], { store: slot });
      script.jump(reader, slot);
      script.call('close', [own.asks]);
      answerLoop(script);
      script.place(reader);
      script.call('prctl', [setPdeathsig, sigkill, 0, 0, 0]);
      script.call('close', [own.answers]);
      askLoop(script);
    },
  };
}

/**
 * Hands on one notification after the other. What could not be received (its process died, or nobody is left to ask) goes on as zeros,
 * which ask nothing, and not too fast: a launcher that is gone is noticed by it.
 */
function askLoop(script: SyscallScript): void {
  const [notice, result, pause] = [script.space(noticeBytes), script.space(8), script.words([0, 2_000_000])];
  const again = here(script);
  const received = script.label();
  script.clear(notice);
  script.attempt('ioctl', [own.listener, ioctls.receive, notice], result);
  script.jump(received, result);
  script.attempt('nanosleep', [pause, 0]);
  script.place(received);
  script.call('sendto', [own.asks, notice, noticeBytes, 0, 0, 0], { exactly: noticeBytes });
  script.jump(again);
}

function answerLoop(script: SyscallScript): void {
  const waitAll = 0x100;
  const answer = script.space(answerBytes);
  const again = here(script);
  script.call('recvfrom', [own.answers, answer, answerBytes, waitAll, 0, 0], { exactly: answerBytes });
  // Fails when the asking process has died.
  script.attempt('ioctl', [own.listener, ioctls.send, answer]);
  script.jump(again);
}

function here(script: SyscallScript): Label {
  const label = script.label();
  script.place(label);
  return label;
}

/** A message of one byte with room for one descriptor (SCM_RIGHTS). */
function descriptorMessage(script: SyscallScript): { readonly message: Datum; readonly descriptor: Datum } {
  const control = Buffer.alloc(24);
  control.writeBigUInt64LE(20n, 0);
  control.writeUInt32LE(1, 8);
  control.writeUInt32LE(1, 12);
  const ancillary = script.bytes(control);
  const content = script.words([script.space(1), 1]);
  return {
    message: script.words([0, 0, content, 1, ancillary, control.length, 0]),
    descriptor: script.within(ancillary, 16, 4),
  };
}
