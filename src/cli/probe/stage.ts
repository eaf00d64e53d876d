// What stands around a probed agent: programs of ours in front of those that its rules name, files of ours where its rules protect some,
// and the user's own settings. INVARIANT: no program that a rule names is started, and no file that a rule protects is read or changed.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Doc, Facts, ProbePlan } from '../../audit/index.ts';

export interface StagedProbe {
  readonly plan: ProbePlan;
  /** What the agent tells its model once more when the act happened; what it writes, for a write. */
  readonly nonce: string;
  /** File of the workspace that a program of ours leaves when it ran: an agent may lose what a short command prints. */
  readonly trace: string;
}

export interface Staged {
  readonly probes: readonly StagedProbe[];
  /** Directory with our programs. */
  readonly programs: string;
  /** Files of the workspace that stand in the layer, relative to it. */
  readonly workspaceFiles: readonly StagedFile[];
  /** Relative to HOME. */
  readonly homeFiles: readonly StagedFile[];
  /** System directories that hold managed settings. */
  readonly system: readonly string[];
}

export interface StagedFile {
  readonly path: string;
  readonly text: string;
}

export const controlFile = 'intramur-control.txt';
export const controlCommand = 'intramur-control now';
/** Left by the control command, as each act's program leaves its own. */
export const controlTrace = '.intramur-trace-control';

/** @param directory an empty one of our own */
export function stage(
  plans: readonly ProbePlan[],
  agent: string,
  facts: Facts,
  workspace: string,
  home: string,
  directory: string,
): Staged {
  const settings = facts.loaded.filter((doc) => doc.agent.id === agent && isSteering(doc));
  const homeFiles: StagedFile[] = settings
    .filter((doc) => doc.workspace === undefined && doc.path.startsWith(`${home}/`))
    .map((doc) => ({ path: doc.path.slice(home.length + 1), text: doc.text }));
  const workspaceFiles: StagedFile[] = [];
  const known = new Map<string, string>();
  const probes = plans.flatMap((plan, index): readonly StagedProbe[] => {
    const trace = `.intramur-trace-${index}`;
    const file = readBy(plan);
    const nonce = (file === undefined ? undefined : known.get(file)) ?? `seen-${crypto.randomBytes(9).toString('hex')}`;
    if (file === undefined || known.has(file)) return [{ plan, nonce, trace }];
    // A rule that protects the agent's own settings is not tried: they stay what they are.
    if (settings.some((doc) => doc.path === file)) return [];
    known.set(file, nonce);
    const isInside = file.startsWith(`${workspace}/`);
    const staged = { path: file.slice((isInside ? workspace : home).length + 1), text: `${nonce}\n` };
    (isInside ? workspaceFiles : homeFiles).push(staged);
    return [{ plan, nonce, trace }];
  });
  const programs = path.join(directory, 'programs');
  fs.mkdirSync(programs, { recursive: true });
  writePrograms(programs, probes, workspace);
  // A login shell finds our programs first, too.
  for (const name of ['.profile', '.bash_profile', '.bashrc', '.zshenv', '.zprofile'])
    if (!homeFiles.some((one) => one.path === name)) homeFiles.push({ path: name, text: `PATH=${programs}:$PATH\nexport PATH\n` });
  const system = [
    ...new Set(
      settings.filter(({ scope, home: owner }) => scope === 'managed' && owner === undefined).map((doc) => path.dirname(doc.path)),
    ),
  ];
  return { probes, programs, workspaceFiles, homeFiles, system: system.filter((dir) => fs.existsSync(dir)) };
}

function readBy({ act }: ProbePlan): string | undefined {
  if (act.do === 'read') return act.path;
  return act.do === 'shell' && act.command.startsWith('cat /') ? act.command.slice('cat '.length) : undefined;
}

function isSteering({ file }: Doc): boolean {
  return file.role === 'settings' || file.role === 'mcp' || file.role === 'hooks';
}

/** One program for each first word; what is not asked for goes to the real one. Paths of files are plain (`probePlans`). */
function writePrograms(directory: string, probes: readonly StagedProbe[], workspace: string): void {
  const leave = (trace: string) => `: >"${shellQuoted(`${workspace}/${trace}`)}"`;
  const cases = new Map<string, string[]>([
    ['intramur-control', [`"now") (${leave(controlTrace)}) 2>/dev/null;echo "$INTRAMUR_CONTROL";exit 0;;`]],
  ]);
  for (const { plan, nonce, trace } of probes) {
    if (plan.act.do !== 'shell') continue;
    const [program = '', ...args] = plan.act.command.split(' ');
    // A file may be out of reach of a `cat` that was started: only one that could read leaves its trace.
    const act =
      readBy(plan) === undefined ? `(${leave(trace)}) 2>/dev/null;echo ${nonce};exit 0` : `real "$@" && (${leave(trace)}) 2>/dev/null;exit`;
    cases.set(program, [...(cases.get(program) ?? []), `${JSON.stringify(args.join(' '))}) ${act};;`]);
  }
  for (const [program, lines] of cases) {
    const text = `#!/bin/sh
real() {
  for dir in /usr/local/bin /usr/bin /bin /usr/sbin /sbin; do
    [ -x "$dir/${program}" ] && { "$dir/${program}" "$@"; return; }
  done
  return 127
}
case "$*" in
${lines.join('\n')}
esac
real "$@"
`;
    fs.writeFileSync(path.join(directory, program), text, { mode: 0o755 });
  }
}

function shellQuoted(text: string): string {
  return text.replace(/["$`\\]/g, '\\$&');
}
