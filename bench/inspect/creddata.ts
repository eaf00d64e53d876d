// Secrets in real code that people have labelled: Samsung's CredData (Apache-2.0), rebuilt by its own `download_data.py` or, in part, by
// whoever has some of its repositories. Looked at as CredSweeper's benchmark does: a labelled line counts, one without a label does not.
// Needs INTRAMUR_BENCH_CREDDATA, a directory with its `meta/*.csv` and what there is of `data/`.
import fs from 'node:fs';
import path from 'node:path';
import { createInspector } from '../../src/inspect/index.ts';

interface Row {
  readonly file: string;
  readonly lines: readonly [first: number, last: number];
  /** Columns in characters, half open, of a value in one line; -1 where the whole line is meant. */
  readonly columns: readonly [start: number, end: number];
  readonly isTrue: boolean;
  readonly category: string;
}

interface Score {
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
}

export async function measureCredData(env: NodeJS.ProcessEnv): Promise<Record<string, unknown> | undefined> {
  const directory = env['INTRAMUR_BENCH_CREDDATA'];
  if (directory === undefined) {
    console.log('CredData: INTRAMUR_BENCH_CREDDATA names no directory with its meta/ and data/, so it is left out\n');
    return undefined;
  }
  const all = fs.readdirSync(path.join(directory, 'meta')).filter((name) => name.endsWith('.csv'));
  const rows = all.flatMap((name) => readRows(fs.readFileSync(path.join(directory, 'meta', name), 'utf8')));
  const there = rows.filter(({ file }) => fs.existsSync(path.join(directory, file)));
  const byFile = Map.groupBy(there, ({ file }) => file);
  const inspector = createInspector();
  const tiers = { 'block and route': score(), 'all tiers': score() };
  const byCategory = new Map<string, Score>();
  let unlabelled = 0;
  let lines = 0;
  for (const [file, labelled] of byFile) {
    const bytes = fs.readFileSync(path.join(directory, file));
    const starts = lineStarts(bytes);
    lines += starts.length;
    const { findings } = await inspector.inspect({ bytes, contentType: 'text/plain', views: [] });
    const secrets = findings.filter(({ kind }) => kind === 'secret').map((finding) => ({ ...finding, lines: linesOf(starts, finding) }));
    for (const [name, total] of Object.entries(tiers)) {
      const acted = name === 'all tiers' ? secrets : secrets.filter(({ tier }) => tier !== 'count');
      const hits = (row: Row) => acted.filter((finding) => meets(row, finding, starts, bytes));
      const right = new Set(labelled.filter(({ isTrue }) => isTrue).flatMap(hits));
      for (const row of labelled) {
        const found = hits(row);
        const one = byCategory.get(row.category) ?? score();
        const sums = name === 'all tiers' ? [total] : [total, one];
        byCategory.set(row.category, one);
        for (const sum of sums) {
          if (row.isTrue) sum[found.length > 0 ? 'truePositives' : 'falseNegatives'] += 1;
          else if (found.some((finding) => !right.has(finding))) sum.falsePositives += 1;
        }
      }
    }
    unlabelled += secrets.filter(
      ({ tier, lines: at }) => tier !== 'count' && !labelled.some((row) => at[0] <= row.lines[1] && row.lines[0] <= at[1]),
    ).length;
  }
  const repositories = new Set([...byFile.keys()].map((file) => file.split('/')[1])).size;
  const positives = there.filter(({ isTrue }) => isTrue).length;
  console.log(
    `CredData: ${repositories} of ${all.length} repositories, ${byFile.size} files, ${lines} lines; ${there.length} of ${rows.length} labelled rows, ${positives} true`,
  );
  for (const [name, total] of Object.entries(tiers)) console.log(`  ${name.padEnd(16)} ${shown(total)}`);
  const most = [...byCategory].toSorted(([, a], [, b]) => b.truePositives + b.falseNegatives - a.truePositives - a.falseNegatives);
  for (const [category, total] of most.slice(0, 16)) console.log(`    ${category.slice(0, 30).padEnd(30)} ${shown(total)}`);
  console.log(`  findings of block and route on lines without a label: ${unlabelled}\n`);
  return { repositories, rows: there.length, positives, lines, tiers, unlabelled, byCategory: Object.fromEntries(byCategory) };
}

const score = (): Score => ({ truePositives: 0, falsePositives: 0, falseNegatives: 0 });

function shown({ truePositives, falsePositives, falseNegatives }: Score): string {
  const precision = truePositives / Math.max(1, truePositives + falsePositives);
  const recall = truePositives / Math.max(1, truePositives + falseNegatives);
  const f1 = (2 * truePositives) / Math.max(1, 2 * truePositives + falsePositives + falseNegatives);
  return `precision ${precision.toFixed(3)} recall ${recall.toFixed(3)} F1 ${f1.toFixed(3)} (${truePositives} right, ${falsePositives} wrong, ${falseNegatives} missed)`;
}

/** Without quotes in it, as the labels of CredData are. */
function readRows(text: string): Row[] {
  const [header = '', ...lines] = text.split(/\r?\n/).filter(Boolean);
  const names = header.split(',');
  const at = (cells: readonly string[], name: string) => cells[names.indexOf(name)] ?? '';
  const number = (cell: string) => (cell === '' ? -1 : Number(cell));
  return lines.map((line) => {
    const cells = line.split(',');
    return {
      file: at(cells, 'FilePath'),
      lines: [number(at(cells, 'LineStart')), number(at(cells, 'LineEnd'))],
      columns: [number(at(cells, 'ValueStart')), number(at(cells, 'ValueEnd'))],
      isTrue: at(cells, 'GroundTruth') === 'T',
      category: at(cells, 'Category').split(':')[0] ?? '',
    };
  });
}

function lineStarts(bytes: Buffer): number[] {
  const starts = [0];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0x0a || (bytes[i] === 0x0d && bytes[i + 1] !== 0x0a)) starts.push(i + 1);
  }
  return starts;
}

/** From 1. */
function lineOf(starts: readonly number[], position: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function linesOf(starts: readonly number[], { start, end }: { start: number; end: number }): [number, number] {
  return [lineOf(starts, start), lineOf(starts, Math.max(start, end - 1))];
}

function meets(
  row: Row,
  finding: { start: number; end: number; lines: readonly [number, number] },
  starts: readonly number[],
  bytes: Buffer,
): boolean {
  if (finding.lines[0] > row.lines[1] || row.lines[0] > finding.lines[1]) return false;
  if (row.lines[0] !== row.lines[1] || row.columns[0] < 0) return true;
  const lineStart = starts[row.lines[0] - 1] ?? 0;
  const line = bytes.toString('utf8', lineStart, starts[row.lines[0]] ?? bytes.length);
  const start = lineStart + Buffer.byteLength(line.slice(0, row.columns[0]));
  const end = row.columns[1] < 0 ? start + 1 : lineStart + Buffer.byteLength(line.slice(0, row.columns[1]));
  return finding.start < end && start < finding.end;
}
