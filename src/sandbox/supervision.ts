// System calls of programs inside that wait for the launcher: its side of the supervisor. Each supervised call is answered here, or fails.
import type { ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import os from 'node:os';
import { Readable, Writable } from 'node:stream';
import { IntramurError } from '../core/index.ts';
import { noticeBytes, type Supervisor, supervise } from './supervisor-script.ts';
import type { SyscallScript } from './syscall-script.ts';

export interface Supervision {
  /** What the compiled supervisor depends on. */
  readonly key: string;
  supervise(script: SyscallScript): Supervisor;
  /** Answers until the sandbox ends. */
  attend(child: ChildProcess): void;
}

export interface SupervisionOptions {
  /** What the filter depends on. */
  readonly key: string;
  /** The first of two descriptors in the child, asks before answers. */
  readonly firstFd: number;
  /** Which calls wait, as `struct sock_filter` records. */
  readonly filter: Buffer;
  /**
   * Says an answer (`struct seccomp_notif_resp`) for each notice (`struct seccomp_notif`), in any order. What it throws ends the
   * supervision, and then every supervised call fails.
   * @param isInside whether the process that has this number now is one of this sandbox
   */
  respond(notices: readonly Buffer[], say: (answer: Buffer) => void, isInside: (pid: number) => boolean): void | Promise<void>;
}

/** Calls that are answered at once; more wait in the kernel and in the socket. */
const batch = 64;

export function supervision({ key, firstFd, filter, respond }: SupervisionOptions): Supervision {
  const canWait = canWaitKillable(os.release());
  return {
    key: `${key}.${firstFd}.${Number(canWait)}`,
    supervise: (script) => supervise(script, { asks: firstFd, answers: firstFd + 1 }, { filter, canWaitKillable: canWait }),
    attend(child) {
      const [asks, answers] = [child.stdio[firstFd], child.stdio[firstFd + 1]];
      if (!(asks instanceof Readable && answers instanceof Writable))
        throw new IntramurError('INTERNAL', 'the supervisor has no descriptors');
      answers.on('error', () => {}); // the supervisor is gone, and with it every supervised call
      asks.on('error', () => {});
      // One of the two processes is not enough: without the one that asks, calls would hang.
      asks.once('close', () => answers.destroy());
      child.once('exit', () => asks.destroy());
      void answerAll(asks, answers, respond, networkOf(child.pid ?? 0)).catch(() => {
        asks.destroy();
        answers.destroy();
      });
    },
  };
}

/**
 * INVARIANT: a process that was killed while it waited may have left its number to another one of this machine, so what is known of a
 * process by its number is used only once this was asked after it was opened. Nobody but the sandbox is in its network, which the init
 * makes before it is supervised, and from which nothing inside can get away.
 * @param leader the child: it keeps its number until we have heard of its end
 */
export function networkOf(leader: number): (pid: number) => boolean {
  const network = (pid: number): string | undefined => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`);
    } catch {
      return undefined;
    }
  };
  let inside: string | undefined;
  return (pid) => {
    inside ??= network(leader);
    return inside !== undefined && inside !== network(process.pid) && network(pid) === inside;
  };
}

async function answerAll(
  asks: Readable,
  answers: Writable,
  respond: SupervisionOptions['respond'],
  isInside: (pid: number) => boolean,
): Promise<void> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of asks as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= noticeBytes) {
      const count = Math.min(batch, Math.floor(pending.length / noticeBytes));
      const notices = Array.from({ length: count }, (_, i) => pending.subarray(i * noticeBytes, (i + 1) * noticeBytes));
      pending = pending.subarray(count * noticeBytes);
      const said: Buffer[] = [];
      // Zeros ask nothing.
      await respond(
        notices.filter((notice) => notice.readBigUInt64LE(0) !== 0n),
        (answer) => said.push(answer),
        isInside,
      );
      if (said.length > 0) answers.write(Buffer.concat(said));
    }
  }
}

/** Linux 5.19 and later: a signal does not interrupt a start that is being decided, which would be asked about again. */
export function canWaitKillable(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 19);
}
