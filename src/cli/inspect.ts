// `intramur inspect`: what the monitor would find in these bytes. Shows kinds, places and fingerprints, never a value.
import { open } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../config/index.ts';
import { dialects, type InspectFinding, IntramurError, placesFrom, type Report } from '../core/index.ts';
import { createInspector, dataStore, fingerprintStore, type Inspector, isBinary, refusalOf } from '../inspect/index.ts';
import { parseDocument } from '../wire/index.ts';
import { reasonOf } from './file-fault.ts';
import { answerLines } from './inspect-lines.ts';
import type { CliIo } from './io.ts';
import { jsonOption, many, type Options, parseOptions } from './options.ts';

const SCHEMA = 'intramur/inspect/1';

const options = {
  ...jsonOption,
  jsonl: { type: 'boolean', does: 'answer JSON lines, one by one' },
  as: { type: 'string', value: 'KIND', does: 'text (default) or http-body' },
  dialect: { type: 'string', value: 'D', does: `one of ${dialects.join(', ')}` },
} as const satisfies Options;
export const forms = { '': options };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const asked = parse(args);
  const places = placesFrom(io.env, io.home);
  const config = await loadConfig({ env: io.env, home: io.home, cwd: io.cwd, workspaceFile: 'ignored', systemDir: places.system });
  const inspector = createInspector({
    fingerprints: fingerprintStore(places.fingerprints).load(),
    data: dataStore(places.fingerprints).load(),
    personalData: config.inspect.personalData === 'on',
  });
  if (asked.jsonl) {
    const input = await inputOf(asked.file, io);
    return await answerLines(input, inspector, (answer) => io.stdout.write(`${JSON.stringify({ schema: SCHEMA, ...answer })}\n`));
  }
  const bytes = await read(asked.file, io);
  const report = await inspectBytes(bytes, asked, inspector);
  io.stdout.write(asked.json ? `${JSON.stringify({ schema: SCHEMA, ...report })}\n` : describe(asked.file, report));
  return exitCodeOf(report, bytes);
}

/**
 * 1 for a finding of any tier, and for what could not be looked at: all of it, or a payload that as a whole is nothing that can be read
 * here. A picture in a text is named, and leaves the text what it is.
 */
function exitCodeOf({ refused, isOpaque = false, findings }: Report, bytes: Uint8Array): 0 | 1 {
  return refused || findings.length > 0 || (isOpaque && isBinary(bytes)) ? 1 : 0;
}

interface Asked {
  readonly file: string;
  readonly json: boolean;
  readonly jsonl: boolean;
  readonly as: 'text' | 'http-body';
  readonly dialect: string | undefined;
}

function parse(args: readonly string[]): Asked {
  const { values, positionals } = parseOptions(args, options, many);
  const { as = 'text', dialect } = values;
  if (as !== 'text' && as !== 'http-body') throw new IntramurError('USAGE', `--as is "text" or "http-body", not "${as}"`);
  if (dialect !== undefined && !dialects.some((known) => known === dialect)) {
    throw new IntramurError('USAGE', `unknown dialect "${dialect}"`, { hint: `one of ${dialects.join(', ')}` });
  }
  if (values.json && values.jsonl) throw new IntramurError('USAGE', '--json and --jsonl exclude each other');
  if (positionals.length > 1) throw new IntramurError('USAGE', 'inspect takes one file, or - for standard input');
  return { file: positionals[0] ?? '-', json: values.json, jsonl: values.jsonl ?? false, as, dialect };
}

/** Bytes; far more than is inspected. A device that never ends is not read for ever, nor into all memory. */
const mostRead = 512 << 20;

async function read(file: string, io: CliIo): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of await inputOf(file, io)) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size >= mostRead) break;
  }
  return Buffer.concat(chunks);
}

async function inputOf(file: string, io: CliIo): Promise<NodeJS.ReadableStream> {
  if (file === '-') return io.stdin;
  try {
    const handle = await open(path.resolve(io.cwd, file));
    if (!(await handle.stat()).isDirectory()) return handle.createReadStream();
    await handle.close();
    throw Object.assign(new Error('not a file'), { code: 'EISDIR', syscall: 'read' });
  } catch (cause) {
    throw new IntramurError('CONFIG_NOT_FOUND', `cannot read ${JSON.stringify(file)}: ${reasonOf(cause)}`, { cause });
  }
}

async function inspectBytes(bytes: Uint8Array, { as, dialect }: Asked, inspector: Inspector): Promise<Report> {
  const report = await inspector.inspect({ bytes, contentType: as === 'text' ? 'text/plain' : '', views: [] });
  if (report.refused || as === 'text' || dialect === undefined) return report;
  try {
    parseDocument(bytes);
    return report;
  } catch (fault) {
    // As the gateway does: what an upstream makes of it is not what was read here. The findings stay.
    return { ...report, refused: refusalOf(fault) };
  }
}

function describe(file: string, report: Report): string {
  const name = file === '-' ? 'standard input' : file;
  const head = `${name}: ${report.bytes} bytes, ${report.findings.length} findings, class ${report.classification}`;
  const labels = report.labels.length > 0 ? `, labels ${report.labels.join(', ')}` : '';
  const lines = report.findings.map(describeFinding);
  if (report.refused)
    lines.push(`  refused: ${report.refused.reason} (${report.refused.code}); what was not looked at is not called clean`);
  else if (report.isOpaque)
    lines.push(
      '  part of it could not be read (a picture, a document, ciphertext, a packing that is not known here): what that holds is not known',
    );
  return `${[head + labels, ...lines].join('\n')}\n`;
}

function describeFinding(finding: InspectFinding): string {
  const via = finding.view.length > 0 ? ` via ${finding.view.join(' > ')}` : '';
  const source = finding.repository === undefined ? '' : ` in ${finding.repository}${finding.document ? `:${finding.document}` : ''}`;
  return `  ${finding.tier.padEnd(5)} ${finding.kind.padEnd(11)} ${finding.redacted}${source} at ${finding.start}-${finding.end}${via}`;
}
