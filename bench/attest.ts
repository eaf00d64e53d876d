// Attestations of the real agents with everything varied, each three times: how long they take, and whether they give the same answer.
// What an agent's start costs is this machine's affair, so one plain run of it is measured beside: `overRuns` is the attestation's wall
// clock over that of as many plain runs, two at once.
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
  /** Wall clock of one plain run, seconds. */
  readonly plainRun: number;
  readonly overRuns: number;
  readonly markers: number;
  /** Whether all repeats found and stated the same. */
  readonly isSame: boolean;
}

const modules = path.join(import.meta.dirname, '..', 'test', 'agents', 'node_modules');
const prompt = 'Create the file hello.txt with one line that says hello, then stop.';

/** `ATTEST_AGENTS=codex,opencode` chooses. */
export async function run(repeats = 3): Promise<AttestRow[]> {
  const wanted = process.env['ATTEST_AGENTS']?.split(',');
  const rows: AttestRow[] = [];
  for (const recipe of [claudeCode2x1x197, ...agentRecipes]) {
    const isThere = fs.existsSync(path.join(modules, recipe.program));
    if (isThere && (wanted === undefined || wanted.includes(recipe.id))) rows.push(await rowOf(recipe, repeats));
  }
  return rows;
}

async function rowOf(recipe: AgentRecipe, repeats: number): Promise<AttestRow> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-attest-'));
  try {
    const cwd = path.join(home, 'work');
    fs.mkdirSync(cwd);
    const command = [...(recipe.needsNode ? [process.execPath] : []), path.join(modules, recipe.program), ...recipe.args(prompt)];
    const env = { INTRAMUR_HOME: path.join(home, 'state'), PATH: process.env['PATH'] };
    const ioWith = (stdout: PassThrough): CliIo => ({ stdout, stderr: process.stderr, stdin: new PassThrough(), env, cwd, home });
    const plainRun = await secondsOfOneRun(command, ioWith(new PassThrough()));
    const documents: AttestDocument[] = [];
    const seconds: number[] = [];
    for (let i = 0; i < repeats; i += 1) {
      const stdout = new PassThrough();
      const printed = text(stdout);
      const began = performance.now();
      await attestCommand(['--json', '--', ...command], ioWith(stdout), async () => {});
      seconds.push((performance.now() - began) / 1000);
      stdout.end();
      documents.push(JSON.parse(await printed));
    }
    const [first] = documents;
    const median = seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;
    const runs = documents.map((document) => document.runs);
    const mean = runs.reduce((sum, count) => sum + count, 0) / runs.length;
    return {
      agent: first?.agent ?? recipe.id,
      version: first?.version ?? '',
      runs: runs.join(' '),
      seconds: seconds.map((value) => value.toFixed(0)).join(' '),
      plainRun: round(plainRun),
      overRuns: round(median / ((plainRun * mean) / 2)),
      markers: first?.covert.length ?? 0,
      isSame: new Set(documents.map(answerOf)).size === 1,
    };
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}

/** The second of two, so that the file cache is warm as it is for an attestation. */
async function secondsOfOneRun(command: readonly string[], io: CliIo): Promise<number> {
  const subject = await subjectOf(undefined, undefined, command, io);
  const state = path.join(io.home, 'plain');
  fs.mkdirSync(state);
  const stage = prepareStage(fs.mkdtempSync(path.join(state, 'attest-')), io.cwd);
  try {
    await runOnce(subject, stage, {}, path.join(state, 'cache'));
    const began = performance.now();
    await runOnce(subject, stage, {}, path.join(state, 'cache'));
    return (performance.now() - began) / 1000;
  } finally {
    stage.close();
  }
}

/** What must not change from time to time: not the confidence, and not how many bytes there were. */
function answerOf({ passed, covert, disclosed, sideChannels }: AttestDocument): string {
  const marks = covert.map(({ where, channel, tokens, variesWith }) => [where, channel, tokens.toSorted(), variesWith.toSorted()]);
  return JSON.stringify([passed, marks, disclosed, sideChannels.map(({ host, class: kind }) => [host, kind])]);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(await run(Number(process.argv[2] ?? 3)), undefined, 2)}\n`);
}
