// The launcher's side of the exec audit: reads what the supervisor hands on, asks for a decision, and sends the answers back. What cannot
// be read or decided is refused.
import type { ChildProcess } from 'node:child_process';
import os from 'node:os';
import { Readable, Writable } from 'node:stream';
import { IntramurError } from '../../core/index.ts';
import type { Arch } from '../syscall-number.ts';
import type { SyscallScript } from '../syscall-script.ts';
import { type Notice, noticeBytes, readNotice, writeAnswer } from './notice.ts';
import { missingPath, type ProgramStart, readStart } from './program-start.ts';
import { type Supervisor, supervise } from './supervisor-script.ts';

/** One answer for each start, in the same order: may it go on? `undefined` stands for a start that could not be read. */
export type DecideStarts = (starts: readonly (ProgramStart | undefined)[]) => Promise<readonly boolean[]>;

export interface ExecAudit {
  /** What the compiled supervisor depends on. */
  readonly key: string;
  supervise(script: SyscallScript): Supervisor;
  /** Answers until the sandbox ends. */
  attend(child: ChildProcess): void;
}

export interface ExecAuditOptions {
  readonly arch: Arch;
  /** The first of two descriptors in the child, asks before answers. */
  readonly firstFd: number;
  /** What starts before the program, in this order: it is ours and is not asked about. */
  readonly ownPrograms: readonly string[];
  readonly decide: DecideStarts;
  /** Told of each file that is on the host and was looked for in vain inside. */
  readonly onMissing?: ((path: string) => void) | undefined;
}

/** Starts that are decided at once; more wait in the kernel and in the socket. */
const batch = 64;

export function execAudit({ arch, firstFd, ownPrograms, decide, onMissing }: ExecAuditOptions): ExecAudit {
  const canWait = canWaitKillable(os.release());
  return {
    key: `asks${firstFd}.${Number(canWait)}${Number(onMissing !== undefined)}`,
    supervise: (script) =>
      supervise(script, { asks: firstFd, answers: firstFd + 1 }, { arch, canWaitKillable: canWait, seesPaths: onMissing !== undefined }),
    attend(child) {
      const [asks, answers] = [child.stdio[firstFd], child.stdio[firstFd + 1]];
      if (!(asks instanceof Readable && answers instanceof Writable))
        throw new IntramurError('INTERNAL', 'the exec audit has no descriptors');
      answers.on('error', () => {}); // the supervisor is gone, and with it every start
      asks.on('error', () => {});
      // One of the two processes is not enough: without the one that asks, starts would hang.
      asks.once('close', () => answers.destroy());
      child.once('exit', () => asks.destroy());
      void answerAll(asks, answers, { arch, ownPrograms, decide, onMissing }).catch(() => {
        asks.destroy();
        answers.destroy();
      });
    },
  };
}

async function answerAll(
  asks: Readable,
  answers: Writable,
  { arch, ownPrograms, decide, onMissing }: Omit<ExecAuditOptions, 'firstFd'>,
): Promise<void> {
  const own = [...ownPrograms];
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of asks as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= noticeBytes) {
      const count = Math.min(batch, Math.floor(pending.length / noticeBytes));
      const notices = Array.from({ length: count }, (_, i) => readNotice(pending.subarray(i * noticeBytes), arch)).filter(
        (one) => one !== undefined,
      );
      pending = pending.subarray(count * noticeBytes);
      const asked: { notice: Notice; start: ProgramStart | undefined }[] = [];
      for (const notice of notices) {
        if (notice.kind === 'path') {
          const missing = own.length === 0 ? missingPath(notice) : undefined;
          if (missing !== undefined) onMissing?.(missing);
          answers.write(writeAnswer(notice.id, true));
          continue;
        }
        const start = tryRead(notice);
        if (start !== undefined && own.length > 0 && start.path === own[0]) {
          own.shift();
          answers.write(writeAnswer(notice.id, true));
        } else asked.push({ notice, start });
      }
      if (asked.length === 0) continue;
      const decisions = await decided(
        decide,
        asked.map(({ start }) => start),
      );
      asked.forEach(({ notice, start }, i) => answers.write(writeAnswer(notice.id, start !== undefined && decisions[i] === true)));
    }
  }
}

async function decided(decide: DecideStarts, starts: readonly (ProgramStart | undefined)[]): Promise<readonly boolean[]> {
  try {
    return await decide(starts);
  } catch {
    return [];
  }
}

function tryRead(notice: Notice): ProgramStart | undefined {
  try {
    return readStart(notice);
  } catch {
    return undefined;
  }
}

/** Linux 5.19 and later: a signal does not interrupt a start that is being decided, which would be asked about again. */
export function canWaitKillable(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 19);
}
