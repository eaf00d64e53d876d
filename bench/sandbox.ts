// What work costs inside the sandbox, against the same work under bare bubblewrap with the same system call filter, and on the host;
// and in copy-on-write mode against a bare overlay of the kernel under bubblewrap, which is its floor. Processor time of the work by
// itself, as an ordinary user, without start and end of the session. All in turn, A B C A B C … In copy-on-write mode a process beside the
// program takes the first looks at the workspace: work that looks first is measured at once and after a while, and the looks have a row of
// their own. And what the audit of starts costs, on the clock.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ordinary } from './ordinary.ts';
import { benchExecAudit, type ExecAuditRow } from './sandbox/exec-audit.ts';
import type { BesideRow, SandboxRow } from './sandbox/work.ts';

export function benchSandbox(rounds: number): readonly (SandboxRow | BesideRow | ExecAuditRow)[] {
  return [...benchWork(rounds), ...benchExecAudit(path.resolve(import.meta.dirname, '..'), rounds)];
}

function benchWork(rounds: number): readonly (SandboxRow | BesideRow)[] {
  const place = ordinary(['src/core', 'src/sandbox', 'bench/sandbox']);
  try {
    const script = path.join(place.kit, 'bench/sandbox/work.ts');
    const [command, ...args] = place.who.command([place.node, script, place.base, String(rounds)]);
    const { status, stdout } = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', cwd: place.base });
    if (status !== 0) throw new Error(`the work ended with ${status}`);
    return JSON.parse(stdout) as (SandboxRow | BesideRow)[];
  } finally {
    place.remove();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.table(benchSandbox(Number(process.argv[2] ?? 9)));
}
