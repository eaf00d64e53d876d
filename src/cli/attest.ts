// `attest`: does this agent say different things in different surroundings? Runs it boxed, again and again, and compares what it sends.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type Assignment,
  type Attestation,
  attest,
  type Factor,
  factors,
  levels,
  type RunRecord,
  shippedHints,
  usualFactors,
  variedIn,
} from '../attest/index.ts';
import { bundleSignatures } from '../audit/index.ts';
import { IntramurError, type Places, placesFrom, product } from '../core/index.ts';
import { createScrubber } from '../gateway/index.ts';
import { diffAttestations } from './attest/diff.ts';
import { type About, documentOf } from './attest/document.ts';
import { type Recorder, recordInLedger } from './attest/ledger.ts';
import { runOnce } from './attest/run-once.ts';
import { shippedBytes } from './attest/shipped-files.ts';
import { keep } from './attest/store.ts';
import { type Subject, subjectOf } from './attest/subject.ts';
import { parseVary, prepareStage, type Stage } from './attest/surroundings.ts';
import { attestationText } from './attest/text.ts';
import type { CliIo } from './io.ts';
import { jsonOption, many, type Options, parseOptions } from './options.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Flags {
  readonly json: boolean;
  readonly vary: readonly Factor[];
  readonly repeats: number;
}

const options = {
  name: { type: 'string', value: 'NAME', does: 'what to call a command; its adapter, where it is a known agent' },
  vary: { type: 'string', value: 'LIST', does: `what to vary, of ${factors.join(', ')}` },
  runs: { type: 'string', default: '1', value: 'N', does: 'how often each surrounding is repeated' },
  diff: { type: 'string', value: 'A B', does: 'what changed between the attestations of two versions' },
  ...jsonOption,
} as const satisfies Options;
export const forms = { '': options };

export async function run(args: readonly string[], io: CliIo, record: Recorder = recordInLedger): Promise<number> {
  const end = args.indexOf('--');
  const command = end < 0 ? [] : args.slice(end + 1);
  const { values, positionals, tokens } = parseOptions(end < 0 ? args : args.slice(0, end), options, many);
  const places = placesFrom(io.env, io.home);
  if (values.diff !== undefined) {
    const at = tokens.findIndex((token) => token.kind === 'option' && token.name === 'diff');
    const second = tokens.slice(at + 1).find((token) => token.kind === 'positional');
    const rest = tokens.flatMap((token) => (token.kind === 'positional' && token !== second ? [token.value] : []));
    const agent = values.name ?? rest[0];
    if (second === undefined || agent === undefined || rest.length > 1 || command.length > 0)
      throw new IntramurError('USAGE', `usage: ${product.name} attest AGENT|--name NAME --diff VERSION_A VERSION_B [--json]`);
    return diffAttestations({ agent, versions: [values.diff, second.value], json: values.json }, places.state, io);
  }
  if (positionals.length > 1) throw new IntramurError('USAGE', 'attest takes one agent');
  const repeats = Number(values.runs);
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > 20) throw new IntramurError('USAGE', '--runs is a number from 1 to 20');
  const vary = values.vary === undefined ? usualFactors : parseVary(values.vary);
  if ('unknown' in vary) {
    throw new IntramurError('USAGE', `--vary: unknown factor ${JSON.stringify(vary.unknown)}`, {
      hint: `the factors are ${factors.join(', ')}`,
    });
  }
  const subject = await subjectOf(positionals[0], values.name, command, io);
  return await examine(subject, { vary, repeats, json: values.json }, places, io, record);
}

async function examine(subject: Subject, { vary, repeats, json }: Flags, places: Places, io: CliIo, record: Recorder): Promise<number> {
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  const stage = prepareStage(fs.mkdtempSync(path.join(places.state, 'attest-')), io.cwd);
  const progress = progressLine(io);
  const stop = (signal: NodeJS.Signals): void => {
    stage.close();
    process.exit(128 + os.constants.signals[signal]);
  };
  for (const signal of signals) process.once(signal, stop);
  try {
    const neutral: RunRecord[] = [];
    const result = await attest({
      run: (assignment) => runIn(subject, stage, assignment, places, neutral),
      vary,
      repeats,
      concurrency: Math.min(4, os.availableParallelism()),
      random: Math.random,
      onProgress: progress.show,
    });
    progress.end();
    const document = documentOf(await about(subject, vary, result, neutral[0]), result);
    const isWhole = usualFactors.every((factor) => vary.includes(factor)) && result.unseen.length === 0;
    if (result.isConclusive) {
      const pages = keep(places.state, document);
      await record({ subject, document, isWhole }, places, io);
      io.stderr.write(`${product.name}: kept as ${pages.html}\n`);
    }
    if (json) io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    else io.stdout.write(attestationText(document, result.isConclusive));
    if (!result.isConclusive) return 3;
    return result.covert.length > 0 ? 1 : 0;
  } finally {
    for (const signal of signals) process.off(signal, stop);
    stage.close();
  }
}

async function runIn(subject: Subject, stage: Stage, assignment: Assignment, { cache }: Places, neutral: RunRecord[]): Promise<RunRecord> {
  const record = await runOnce(subject, stage, assignment, cache);
  if (variedIn(assignment).length === 0 && record.failed === undefined) neutral.push(record);
  return record;
}

async function about(subject: Subject, vary: readonly Factor[], result: Attestation, neutral: RunRecord | undefined): Promise<About> {
  const { name: agent, version, sha256, main, adapter } = subject;
  const calls = (neutral?.requests ?? []).filter((request) => request.class === 'model');
  // With some values a program may not run at all.
  const notVaried = vary.filter((factor) =>
    levels[factor].others.every(({ id }) => result.unseen.some((assignment) => assignment[factor] === id)),
  );
  const scrubber = createScrubber();
  const counts = new Map<string, number>();
  for (const [rule = '', count] of calls.flatMap(({ body }) => scrubber.scrub(body, 'provider').counts.map((text) => text.split(':'))))
    counts.set(rule, (counts.get(rule) ?? 0) + Number(count));
  return {
    agent,
    version,
    sha256,
    attestedAt: new Date().toISOString(),
    varied: vary.filter((factor) => !notVaried.includes(factor)),
    notVaried,
    modelBytes: calls.reduce((sum, { body }) => sum + body.length, 0),
    scrubbed: [...counts].map(([rule, count]) => `${rule}:${count}`),
    shipped: await shippedHints(
      shippedBytes(main),
      bundleSignatures.filter((signature) => signature.agent === adapter?.id),
    ),
  };
}

function progressLine(io: CliIo): { show(done: number, planned: number, confirming: readonly Factor[]): void; end(): void } {
  const isTerminal = 'isTTY' in io.stderr && io.stderr.isTTY === true;
  let last = 0;
  return {
    show(done, planned, confirming) {
      const why = confirming.length > 0 ? `, again with ${confirming.join(', ')}` : '';
      if (isTerminal) io.stderr.write(`\r\u001b[K${product.name}: ${done} of ${planned} runs${why}`);
      else if (done >= last + 10) {
        last = done;
        io.stderr.write(`${product.name}: ${done} of ${planned} runs${why}\n`);
      }
    },
    end() {
      if (isTerminal) io.stderr.write('\r\u001b[K');
    },
  };
}
