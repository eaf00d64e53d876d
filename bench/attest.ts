// Attestations with everything varied, each three times, of the real agents and of one that works for two seconds before it asks: how long
// they take, and whether they give the same answer. On a machine with other work CPU time is what to read: of everything, agents, sandbox
// and comparison. What an agent's start costs is this machine's affair, so one plain run is measured beside: `overRuns` is the
// attestation's CPU time over that of as many plain runs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { AttestDocument } from '../src/cli/attest/document.ts';
import { runOnce } from '../src/cli/attest/run-once.ts';
import { subjectOf } from '../src/cli/attest/subject.ts';
import { prepareStage } from '../src/cli/attest/surroundings.ts';
import { run as attestCommand } from '../src/cli/attest.ts';
import type { CliIo } from '../src/cli/io.ts';
import { type AgentRecipe, agentRecipes, claudeCode2x1x197 } from '../src/testing/index.ts';

export interface AttestRow {
  readonly agent: string;
  readonly version: string;
  /** Of every repeat. */
  readonly runs: string;
  readonly seconds: string;
  /** CPU time of every repeat, seconds; half of it is the wall clock on two idle cores. */
  readonly cpu: string;
  /** CPU time of one plain run, seconds. */
  readonly plainRun: number;
  readonly overRuns: number;
  readonly markers: number;
  /** Whether all repeats found and stated the same. */
  readonly isSame: boolean;
}

const modules = path.join(import.meta.dirname, '..', 'test', 'agents', 'node_modules');
const prompt = 'Create the file hello.txt with one line that says hello, then stop.';

/** Program and arguments of an agent of ours. */
const slowStart = [process.execPath, path.join(import.meta.dirname, 'attest-slow-start.mjs')];

/** `ATTEST_AGENTS=codex,slow-start` chooses. */
export async function run(repeats = 3): Promise<AttestRow[]> {
  const wanted = process.env['ATTEST_AGENTS']?.split(',');
  const rows: AttestRow[] = [];
  if (wanted === undefined || wanted.includes('slow-start')) rows.push(await rowOf(slowStart, repeats));
  for (const recipe of [claudeCode2x1x197, ...agentRecipes]) {
    const isThere = fs.existsSync(path.join(modules, recipe.program));
    if (isThere && (wanted === undefined || wanted.includes(recipe.id))) rows.push(await rowOf(commandOf(recipe), repeats));
  }
  return rows;
}

function commandOf(recipe: AgentRecipe): string[] {
  return [...(recipe.needsNode ? [process.execPath] : []), path.join(modules, recipe.program), ...recipe.args(prompt)];
}

async function rowOf(command: readonly string[], repeats: number): Promise<AttestRow> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-attest-'));
  try {
    const cwd = path.join(home, 'work');
    fs.mkdirSync(cwd);
    const env = { INTRAMUR_HOME: path.join(home, 'state'), PATH: process.env['PATH'] };
    const ioWith = (stdout: PassThrough): CliIo => ({ stdout, stderr: process.stderr, stdin: new PassThrough(), env, cwd, home });
    const plainRun = await cpuOfOneRun(command, ioWith(new PassThrough()));
    const documents: AttestDocument[] = [];
    const seconds: number[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < repeats; i += 1) {
      const stdout = new PassThrough();
      const printed = text(stdout);
      const [began, cpuBefore] = [performance.now(), cpuSeconds()];
      await attestCommand(['--json', '--', ...command], ioWith(stdout), async () => {});
      seconds.push((performance.now() - began) / 1000);
      cpu.push(cpuSeconds() - cpuBefore);
      stdout.end();
      documents.push(JSON.parse(await printed));
    }
    const [first] = documents;
    const median = cpu.toSorted((a, b) => a - b)[Math.floor(cpu.length / 2)] ?? Number.NaN;
    const runs = documents.map((document) => document.runs);
    const mean = runs.reduce((sum, count) => sum + count, 0) / runs.length;
    return {
      agent: first?.agent ?? path.basename(command[0] ?? ''),
      version: first?.version ?? '',
      runs: runs.join(' '),
      seconds: seconds.map((value) => value.toFixed(0)).join(' '),
      cpu: cpu.map((value) => value.toFixed(0)).join(' '),
      plainRun: round(plainRun),
      overRuns: round(median / (plainRun * mean)),
      markers: first?.covert.length ?? 0,
      isSame: new Set(documents.map(answerOf)).size === 1,
    };
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

/** The second of two, so that the file cache is warm as it is for an attestation. */
async function cpuOfOneRun(command: readonly string[], io: CliIo): Promise<number> {
  const subject = await subjectOf(undefined, undefined, command, io);
  const state = path.join(io.home, 'plain');
  fs.mkdirSync(state);
  const stage = prepareStage(fs.mkdtempSync(path.join(state, 'attest-')), io.cwd);
  try {
    await runOnce(subject, stage, {}, path.join(state, 'cache'));
    const before = cpuSeconds();
    await runOnce(subject, stage, {}, path.join(state, 'cache'));
    return cpuSeconds() - before;
  } finally {
    stage.close();
  }
}

/** What must not change from time to time: not the confidence, and not how many bytes there were. */
function answerOf({ passed, covert, disclosed, sideChannels }: AttestDocument): string {
  const marks = covert.map(({ where, channel, tokens, variesWith }) => [where, channel, tokens.toSorted(), variesWith.toSorted()]);
  return JSON.stringify([passed, marks, disclosed, sideChannels.map(({ host, class: kind }) => [host, kind])]);
}

/**
 * CPU time of this process and of everything that runs below it, by proc(5). A sandbox's processes are reaped inside, so their time is
 * read while they run: what the last tenth of a second of each took is missing.
 */
const ticks = new Map<string, number>();
setInterval(() => readTicks(process.pid), 100).unref();

function readTicks(pid: number): void {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // With the moment of its start: numbers of processes are used again.
    ticks.set(`${pid} ${fields[19]}`, Number(fields[11]) + Number(fields[12]));
    for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
      const children = fs.readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean);
      for (const child of children) readTicks(Number(child));
    }
  } catch {
    // It ended while it was read.
  }
}

/** A tick is a hundredth of a second. */
function cpuSeconds(): number {
  readTicks(process.pid);
  return [...ticks.values()].reduce((sum, count) => sum + count, 0) / 100;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(await run(Number(process.argv[2] ?? 3)), undefined, 2)}\n`);
}
