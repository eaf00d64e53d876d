// What it costs when each start of a program is asked about and recorded: the whole product, `run --audit-exec` against `run`, in turn. The
// work waits for each answer, so it is the time on the clock that counts, and the processor time of launcher and daemon is part of it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface ExecAuditRow {
  readonly work: string;
  /** Median time on the clock of the work inside, milliseconds. */
  readonly direct: number;
  readonly audited: number;
  readonly 'audited/direct': number;
  /** What one start costs more, milliseconds. */
  readonly 'ms/start': number;
}

const starts = 150;
/** One after the other; and four loops side by side, whose questions share groups of the ledger. */
const loop = (n: number): string => `i=0; while [ $i -lt ${n} ]; do /bin/true; i=$((i+1)); done`;
const side = `( ${loop(Math.floor(starts / 4))} ) &`;
const work = {
  [`--audit-exec: fork and exec, ${starts} times`]: loop(starts),
  [`--audit-exec: the same, four at a time`]: `${side} ${side} ${side} ${side} wait`,
};

export function benchExecAudit(root: string, rounds: number): readonly ExecAuditRow[] {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'intramur-bench-'));
  const [home, workspace] = ['home', 'workspace'].map((name) => path.join(dir, name)) as [string, string];
  for (const each of [home, workspace]) fs.mkdirSync(each);
  const main = path.join(root, 'dist', 'main.js');
  const env = { PATH: process.env['PATH'], HOME: home, INTRAMUR_HOME: path.join(dir, 'state'), LANG: 'C.UTF-8' };
  const cli = (...args: string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: workspace, env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${stderr}`);
  };
  try {
    cli('up', '--background');
    return Object.entries(work).map(([name, script]): ExecAuditRow => {
      const took: Record<'direct' | 'audited', number[]> = { direct: [], audited: [] };
      for (let round = -1; round < rounds; round++) {
        for (const which of ['direct', 'audited'] as const) {
          const timed = `TIMEFORMAT='%3R'; { time { ${script}; }; } 2> took`;
          cli('run', '--mode', 'direct', ...(which === 'audited' ? ['--audit-exec'] : []), '--', '/bin/bash', '-c', timed);
          if (round >= 0) took[which].push(Number(fs.readFileSync(path.join(workspace, 'took'), 'utf8')) * 1000);
        }
      }
      const [direct, audited] = [median(took.direct), median(took.audited)];
      const ratio = Math.round((audited / direct) * 100) / 100;
      return { work: name, direct, audited, 'audited/direct': ratio, 'ms/start': Math.round(((audited - direct) / starts) * 100) / 100 };
    });
  } finally {
    spawnSync(process.execPath, [main, 'down'], { env });
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
