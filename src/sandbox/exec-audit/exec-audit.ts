// The launcher's side of the exec audit: reads what the supervisor hands on, asks for a decision, and sends the answers back. What cannot
// be read or decided is refused.
import { type Supervision, supervision } from '../supervision.ts';
import type { Arch } from '../syscall-number.ts';
import { execFilter } from './exec-filter.ts';
import { type Notice, readNotice, writeAnswer } from './notice.ts';
import { missingPath, type ProgramStart, readStart } from './program-start.ts';

/** One answer for each start, in the same order: may it go on? `undefined` stands for a start that could not be read. */
export type DecideStarts = (starts: readonly (ProgramStart | undefined)[]) => Promise<readonly boolean[]>;

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

export function execAudit({ arch, firstFd, ownPrograms, decide, onMissing }: ExecAuditOptions): Supervision {
  const own = [...ownPrograms];
  const seesPaths = onMissing !== undefined;
  return supervision({
    key: `asks${Number(seesPaths)}`,
    firstFd,
    filter: execFilter(arch, seesPaths),
    async respond(notices, say, isInside) {
      const asked: { notice: Notice; start: ProgramStart | undefined }[] = [];
      for (const bytes of notices) {
        const notice = readNotice(bytes, arch);
        if (notice.kind === 'path') {
          const missing = own.length === 0 ? missingPath(notice) : undefined;
          if (missing !== undefined) onMissing?.(missing);
          say(writeAnswer(notice.id, true));
          continue;
        }
        const start = tryRead(notice, isInside);
        if (start !== undefined && own.length > 0 && start.path === own[0]) {
          own.shift();
          say(writeAnswer(notice.id, true));
        } else asked.push({ notice, start });
      }
      if (asked.length === 0) return;
      const decisions = await decided(
        decide,
        asked.map(({ start }) => start),
      );
      asked.forEach(({ notice, start }, i) => say(writeAnswer(notice.id, start !== undefined && decisions[i] === true)));
    },
  });
}

async function decided(decide: DecideStarts, starts: readonly (ProgramStart | undefined)[]): Promise<readonly boolean[]> {
  try {
    return await decide(starts);
  } catch {
    return [];
  }
}

function tryRead(notice: Notice, isInside: (pid: number) => boolean): ProgramStart | undefined {
  try {
    const start = readStart(notice);
    return isInside(notice.pid) ? start : undefined;
  } catch {
    return undefined;
  }
}
