// `attest`: does this agent say different things in different surroundings? Runs it boxed, again and again, and compares what it sends.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { attest, factors, levels } from '../attest/index.ts';
import { IntramurError, placesFrom, product } from '../core/index.ts';
import { runOnce } from './attest/run-once.ts';
import { subjectOf } from './attest/subject.ts';
import { parseVary, prepareStage } from './attest/surroundings.ts';
import { attestationText } from './attest/text.ts';
import type { CliIo } from './io.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const end = args.indexOf('--');
  const command = end < 0 ? [] : args.slice(end + 1);
  const { values, positionals } = parseArgs({
    args: end < 0 ? [...args] : args.slice(0, end),
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      vary: { type: 'string' },
      runs: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 1) throw new IntramurError('USAGE', 'attest takes one agent');
  const repeats = Number(values.runs);
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > 20) throw new IntramurError('USAGE', '--runs is a number from 1 to 20');
  const vary = values.vary === undefined ? factors : parseVary(values.vary);
  if ('unknown' in vary) {
    throw new IntramurError('USAGE', `--vary: unknown factor ${JSON.stringify(vary.unknown)}`, {
      hint: `the factors are ${factors.join(', ')}`,
    });
  }
  const subject = await subjectOf(positionals[0], values.name, command, io);
  const places = placesFrom(io.env, io.home);
  fs.mkdirSync(places.state, { recursive: true, mode: 0o700 });
  const stage = prepareStage(fs.mkdtempSync(path.join(places.state, 'attest-')), io.cwd);
  const progress = progressLine(io);
  const stop = (signal: NodeJS.Signals): void => {
    stage.close();
    process.exit(128 + os.constants.signals[signal]);
  };
  for (const signal of signals) process.once(signal, stop);
  try {
    const result = await attest({
      run: (assignment) => runOnce(subject, stage, assignment, places.cache),
      vary,
      repeats,
      concurrency: Math.min(4, os.availableParallelism()),
      random: Math.random,
      onProgress: progress.show,
    });
    progress.end();
    const { isConclusive, ...fields } = result;
    // The clock belongs to the whole machine.
    const notVaried = vary.filter((factor) => levels[factor].others.length === 0);
    const { name: agent, version, sha256 } = subject;
    const document = { schema: 'intramur/attest/1', agent, version, sha256, ...fields, notVaried };
    if (values.json) io.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    else io.stdout.write(attestationText(agent, version, result));
    if (!isConclusive) return 3;
    return result.covert.length > 0 ? 1 : 0;
  } finally {
    for (const signal of signals) process.off(signal, stop);
    stage.close();
  }
}

function progressLine(io: CliIo): { show(done: number, planned: number): void; end(): void } {
  const isTerminal = 'isTTY' in io.stderr && io.stderr.isTTY === true;
  let last = 0;
  return {
    show(done, planned) {
      if (isTerminal) io.stderr.write(`\r${product.name}: run ${done} of ${planned} `);
      else if (done >= last + 10) {
        last = done;
        io.stderr.write(`${product.name}: run ${done} of ${planned}\n`);
      }
    },
    end() {
      if (isTerminal) io.stderr.write('\r\u001b[K');
    },
  };
}
