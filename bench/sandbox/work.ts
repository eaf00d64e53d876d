// Does the work in each surrounding in turn and prints the rows as JSON. Called with a directory of its own and the number of rounds.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { elf } from '../../src/sandbox/elf.ts';
import { imageFile } from '../../src/sandbox/init-file.ts';
import { walk } from '../../src/sandbox/overlay/warm.ts';
import { SyscallScript } from '../../src/sandbox/syscall-script.ts';
import { bare, inside, layerOf, type Surrounding, surroundings } from './surrounding.ts';

export interface SandboxRow {
  readonly work: string;
  /** Median processor time of the work, milliseconds. */
  readonly host: number;
  readonly bwrap: number;
  readonly bareOverlay: number;
  readonly overlay: number;
  readonly direct: number;
  /** Over bare bubblewrap with the same filter, from the medians. */
  readonly 'direct/bwrap': number;
  readonly 'overlay/bwrap': number;
  /** Over a bare overlay with the same options, under bubblewrap with the same filter. */
  readonly 'overlay/bareOverlay': number;
}

/** What a session in copy-on-write mode costs beside its program, because the first looks at the workspace are taken by a process of its own. */
export interface BesideRow {
  readonly work: string;
  /** Median processor time, milliseconds. */
  readonly beside: number;
}

const search = 'grep -r needle tree > /dev/null || true';
const status = 'git status --short > /dev/null';
/** What a program in Node needs before it looks at files. The first looks at the workspace are taken in this time, beside it. */
const pause = 'sleep 0.3';

/** What is prepared, and what is measured. */
const work: Readonly<Record<string, readonly [string, string]>> = {
  'fork and exec, 150 times': [':', 'i=0; while [ $i -lt 150 ]; do /bin/true; i=$((i+1)); done'],
  'compile and run a C program, 5 times': [
    `printf '#include <stdio.h>\\nint main(void){puts("hi");return 0;}\\n' > a.c`,
    'for i in 1 2 3 4 5; do cc a.c -o a.out && ./a.out > /dev/null; done; rm a.out a.c',
  ],
  'write, read and remove 2,000 files': [
    ':',
    'mkdir many; i=0; while [ $i -lt 2000 ]; do echo $i > many/$i; i=$((i+1)); done; cat many/* > /dev/null; rm -r many',
  ],
  'search 5,000 files, the first time, at once': [':', search],
  'search 5,000 files, the first time, after 0.3 s': [pause, search],
  'search 5,000 files, again': [search, search],
  'git status of 5,000 files, the first time, at once': [':', status],
  'git status of 5,000 files, the first time, after 0.3 s': [pause, status],
  'git status of 5,000 files, again': [status, status],
};

const [dir = '', rounds = '9'] = process.argv.slice(2);
const workspace = path.join(dir, 'workspace');
populate();
const rows: (SandboxRow | BesideRow)[] = [];
for (const [name, [prepared, measured]] of Object.entries(work)) {
  if (name.startsWith('compile') && spawnSync('cc', ['--version']).status !== 0) continue;
  rows.push(
    await row(name, async (surrounding) => {
      await run(surrounding, `${prepared}; ${timed(measured)}`);
      return took(surrounding);
    }),
  );
}
rows.push(beside());
process.stdout.write(JSON.stringify(rows));

/** Processor time, written to a file. A subshell, so that what a loop costs the shell itself counts too. */
function timed(script: string): string {
  return `TIMEFORMAT='%3U %3S'; export HOME=/nowhere; { time { ( ${script} ) 2> /dev/null; }; } 2> took`;
}

/** User and system time, in milliseconds. */
function took(surrounding: Surrounding): number {
  const file = path.join(surrounding.endsWith('overlay') ? layerOf(dir).upper : workspace, 'took');
  const [user = Number.NaN, system = Number.NaN] = fs.readFileSync(file, 'utf8').trim().split(' ').map(Number);
  fs.rmSync(file);
  return (user + system) * 1000;
}

/** The looks alone, through a bare overlay. */
function beside(): BesideRow {
  const script = new SyscallScript(2);
  script.stage('the looks');
  walk(script, { argv: 1 }, 20_000);
  script.call('exit', [0]);
  const looks = imageFile(path.join(dir, 'cache'), elf(script.build(), process.arch === 'arm64' ? 'arm64' : 'x64'));
  const times: number[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    bare(timed(`${looks} .`), dir, workspace, true);
    times.push(took('bare overlay'));
    layerOf(dir).remove();
  }
  return { work: 'the first looks at 5,000 files, beside the program', beside: Math.round(median(times)) };
}

async function row(name: string, measure: (surrounding: Surrounding) => Promise<number>): Promise<SandboxRow> {
  const times = new Map<Surrounding, number[]>(surroundings.map((one) => [one, []]));
  for (let round = -1; round < Number(rounds); round++) {
    for (const surrounding of surroundings) {
      const took = await measure(surrounding);
      layerOf(dir).remove();
      if (round >= 0) times.get(surrounding)?.push(took);
    }
  }
  const of = (one: Surrounding): number => Math.round(median(times.get(one) ?? []) * 10) / 10;
  const ratio = (a: Surrounding, b: Surrounding): number => Math.round((of(a) / of(b)) * 100) / 100;
  return {
    work: name,
    host: of('host'),
    bwrap: of('bwrap'),
    bareOverlay: of('bare overlay'),
    overlay: of('overlay'),
    direct: of('direct'),
    'direct/bwrap': ratio('direct', 'bwrap'),
    'overlay/bwrap': ratio('overlay', 'bwrap'),
    'overlay/bareOverlay': ratio('overlay', 'bare overlay'),
  };
}

async function run(surrounding: Surrounding, script: string): Promise<void> {
  if (surrounding === 'host') spawnSync('/bin/bash', ['-c', script], { cwd: workspace });
  else if (surrounding === 'bwrap') bare(script, dir, workspace, false);
  else if (surrounding === 'bare overlay') bare(script, dir, workspace, true);
  else await inside(surrounding, ['/bin/bash', '-c', script], dir, workspace);
}

function populate(): void {
  for (let i = 0; i < 5000; i++) {
    const file = path.join(workspace, 'tree', String(i % 50), `${i}.txt`);
    if (i < 50) fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `line ${i}\n`.repeat(20));
  }
  const git = (...args: string[]): void =>
    void spawnSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@example.com', ...args], { cwd: workspace });
  git('init', '-q', '.');
  git('add', '.');
  git('commit', '-qm', 'files');
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
