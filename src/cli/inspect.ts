// `intramur inspect`: what the monitor would find in these bytes. Shows kinds, places and fingerprints, never a value.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { dialects, type InspectFinding, IntramurError, placesFrom, type Report } from '../core/index.ts';
import { createInspector, dataStore, fingerprintStore, type Inspector } from '../inspect/index.ts';
import { answerLines } from './inspect-lines.ts';
import type { CliIo } from './io.ts';

const SCHEMA = 'intramur/inspect/1';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = parse(args);
  const directory = placesFrom(io.env, io.home).fingerprints;
  const inspector = createInspector({ fingerprints: fingerprintStore(directory).load(), data: dataStore(directory).load() });
  if (options.jsonl) {
    const input = options.file === '-' ? io.stdin : Buffer.from(await read(options.file, io));
    return await answerLines(input, inspector, (answer) => io.stdout.write(`${JSON.stringify({ schema: SCHEMA, ...answer })}\n`));
  }
  const report = await inspectBytes(await read(options.file, io), options.as, inspector);
  io.stdout.write(options.json ? `${JSON.stringify({ schema: SCHEMA, ...report })}\n` : describe(options.file, report));
  return exitCodeOf(report);
}

/** 1 as soon as there is anything to say: a finding of any tier, or something that could not be looked at. */
export function exitCodeOf(report: Report): 0 | 1 {
  return report.refused || report.findings.length > 0 ? 1 : 0;
}

interface Options {
  readonly file: string;
  readonly json: boolean;
  readonly jsonl: boolean;
  readonly as: 'text' | 'http-body';
}

function parse(args: readonly string[]): Options {
  const { values, positionals } = parseStrictly(args);
  const { as = 'text', dialect } = values;
  if (as !== 'text' && as !== 'http-body') throw new IntramurError('USAGE', `--as is "text" or "http-body", not "${as}"`);
  if (dialect !== undefined && !dialects.some((known) => known === dialect)) {
    throw new IntramurError('USAGE', `unknown dialect "${dialect}"`, { hint: `one of ${dialects.join(', ')}` });
  }
  if (values.json && values.jsonl) throw new IntramurError('USAGE', '--json and --jsonl exclude each other');
  if (positionals.length > 1) throw new IntramurError('USAGE', 'inspect takes one file, or - for standard input');
  return { file: positionals[0] ?? '-', json: values.json ?? false, jsonl: values.jsonl ?? false, as };
}

function parseStrictly(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, jsonl: { type: 'boolean' }, as: { type: 'string' }, dialect: { type: 'string' } },
    });
  } catch (cause) {
    throw new IntramurError('USAGE', cause instanceof Error ? cause.message : 'wrong usage', { cause });
  }
}

async function read(file: string, io: CliIo): Promise<Uint8Array> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(path.resolve(io.cwd, file));
  } catch (cause) {
    throw new IntramurError('CONFIG_NOT_FOUND', `cannot read ${file}`, { cause });
  }
}

function inspectBytes(bytes: Uint8Array, as: Options['as'], inspector: Inspector): Promise<Report> {
  return inspector.inspect({ bytes, contentType: as === 'text' ? 'text/plain' : '', views: [] });
}

function describe(file: string, report: Report): string {
  const name = file === '-' ? 'standard input' : file;
  const head = `${name}: ${report.bytes} bytes, ${report.findings.length} findings, class ${report.classification}`;
  const labels = report.labels.length > 0 ? `, labels ${report.labels.join(', ')}` : '';
  const lines = report.findings.map(describeFinding);
  if (report.refused)
    lines.push(`  refused: ${report.refused.reason} (${report.refused.code}); what was not looked at is not called clean`);
  return `${[head + labels, ...lines].join('\n')}\n`;
}

function describeFinding(finding: InspectFinding): string {
  const via = finding.view.length > 0 ? ` via ${finding.view.join(' > ')}` : '';
  const source = finding.repository === undefined ? '' : ` in ${finding.repository}${finding.document ? `:${finding.document}` : ''}`;
  return `  ${finding.tier.padEnd(5)} ${finding.kind.padEnd(11)} ${finding.redacted}${source} at ${finding.start}-${finding.end}${via}`;
}
