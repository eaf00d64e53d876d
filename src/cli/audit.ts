// `audit`: finds agents and MCP servers, says what each may really do and who said so. Passive: starts nothing, connects nowhere.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ask, audit, jsonReport, parseQuestions, severities, severityRank, textReport } from '../audit/index.ts';
import { loadConfig } from '../config/index.ts';
import { IntramurError, placesFrom } from '../core/index.ts';
import type { CliIo } from './io.ts';

const formats = ['text', 'json'] as const;
type Format = (typeof formats)[number];

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      home: { type: 'string' },
      root: { type: 'string' },
      format: { type: 'string' },
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      'fail-on': { type: 'string' },
      ask: { type: 'string' },
    },
  });
  const format = values.json ? 'json' : oneOf(formats, values.format ?? 'text', '--format');
  const failOn = values['fail-on'] === undefined ? undefined : oneOf(severities, values['fail-on'], '--fail-on');
  for (const dir of [values.root, values.home, ...positionals]) mustExist(dir, values.root, io.cwd);
  const config = await loadConfig({ env: io.env, home: io.home, cwd: io.cwd, systemDir: placesFrom(io.env, io.home).system });
  const isTerminal = 'isTTY' in io.stderr && io.stderr.isTTY === true;
  const options = {
    root: values.root,
    home: values.home,
    dirs: positionals,
    userHome: io.home,
    cwd: io.cwd,
    env: io.env,
    tools: config.tools,
    onProgress: isTerminal ? (files: number) => io.stderr.write(`\r${files.toLocaleString('en')} files…\u001b[K`) : undefined,
  };
  if (values.ask !== undefined) {
    const answers = ask(options, parseQuestions(await questionsFrom(values.ask, io)));
    io.stdout.write(`${JSON.stringify(answers, undefined, 2)}\n`);
    return 0;
  }
  const done = audit(options);
  if (isTerminal) io.stderr.write('\r\u001b[K');
  const report = jsonReport(done, Date.now());
  const colour = values.out === undefined && 'isTTY' in io.stdout && io.stdout.isTTY === true && !io.env['NO_COLOR'];
  const [home = io.home] = done.facts.homes;
  const text = render(format, () => textReport(report, { colour, home }), report);
  if (values.out === undefined) io.stdout.write(text);
  else fs.writeFileSync(path.resolve(io.cwd, values.out), text);
  return failOn !== undefined && report.findings.some(({ severity }) => severityRank(severity) >= severityRank(failOn)) ? 1 : 0;
}

/** `-` is standard input. */
async function questionsFrom(place: string, io: CliIo): Promise<string> {
  if (place !== '-') return fs.readFileSync(path.resolve(io.cwd, place), 'utf8');
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function render(format: Format, asText: () => string, report: unknown): string {
  return format === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : asText();
}

function oneOf<T extends string>(all: readonly T[], value: string, option: string): T {
  const found = all.find((one) => one === value);
  if (found === undefined) throw new IntramurError('USAGE', `${option}: "${value}" is none of ${all.join(', ')}`);
  return found;
}

/** A place that is not there is a mistake of the caller, not a clean audit. */
function mustExist(dir: string | undefined, root: string | undefined, cwd: string): void {
  if (dir === undefined) return;
  const candidates = [path.resolve(cwd, dir), ...(root === undefined ? [] : [path.join(path.resolve(cwd, root), dir)])];
  if (!candidates.some((one) => fs.statSync(one, { throwIfNoEntry: false })?.isDirectory())) {
    throw new IntramurError('USAGE', `${dir}: no such directory`);
  }
}
