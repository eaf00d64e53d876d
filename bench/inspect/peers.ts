// The same probes and negatives through two public winnowing engines, as their packages on npm run them: SCANOSS's fingerprints of
// bytes (WFP), and Dolos's fingerprints of tokens. Neither decodes anything, so they see the payload as it was sent.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { filesOf, negativePackages, protectedPackages, type SourceFile } from './corpus.ts';
import { lengths, randomFrom, snippet } from './quality.ts';
import { wrappings } from './wrappings.ts';

const require = createRequire(new URL('../peers/package.json', import.meta.url));

/** Fingerprints of a text. */
type Engine = (bytes: Buffer) => Iterable<number | string>;

/** SCANOSS keeps its algorithm as the text of a worker; that text is run here. */
export function scanoss(): Engine {
  const file = require.resolve('scanoss').replace(/build[/\\]main.*$/, 'build/main/sdk/scanner/WfpProvider/WfpCalculator/WfpCalculator.js');
  const text = fs.readFileSync(file, 'utf8');
  const program = /const stringWorker = `([^]*?)\n`;/.exec(text)?.[1];
  if (program === undefined) throw new Error('the published algorithm of scanoss is not where it was');
  const context = vm.createContext({
    require: (name: string) => (name === 'worker_threads' ? { parentPort: { on() {} } } : require(name)),
    process,
    Buffer,
    console,
  });
  // What is a template there is a text here: its escapes stand for themselves.
  vm.runInContext(program.replaceAll('\\\\', '\\').replaceAll('\\`', '`'), context);
  const calculate = vm.runInContext('calc_wfp', context) as (contents: Buffer, maxSize: number) => string;
  return (bytes) => calculate(bytes, Number.POSITIVE_INFINITY).match(/[0-9a-f]{8}/g) ?? [];
}

/** Dolos's winnowing with its defaults (k = 23, w = 17). Its parsers need a compiler to install, so the tokens are lexical: every name is one. */
async function dolos(): Promise<Engine> {
  const { WinnowFilter } = (await import(require.resolve('@dodona/dolos-core'))) as {
    WinnowFilter: new (k: number, window: number) => { fingerprints(tokens: string[]): { hash: number }[] };
  };
  const filter = new WinnowFilter(23, 17);
  return (bytes) => {
    const tokens = bytes.toString('latin1').match(/[A-Za-z_]\w*|\d+|[^\s\w]/g) ?? [];
    const kinds = tokens.map((token) => (/^\d/.test(token) ? 'number' : /^\w/.test(token) && !keywords.has(token) ? 'identifier' : token));
    return filter.fingerprints(kinds).map(({ hash }) => hash);
  };
}

const keywords = new Set(
  'if else for while do switch case default break continue return try catch finally throw class struct enum interface import export from new this static public private function def func fn let var const void int long char bool string true false null None self'.split(
    ' ',
  ),
);

/** So many fingerprints of one file, and the text counts as found. Fewer find more, and accuse more. */
const thresholds = [1, 3] as const;

export async function measurePeers({
  directory,
  seed,
  probes,
  negatives,
}: {
  directory: string;
  seed: number;
  probes: number;
  negatives: number;
}) {
  const own = protectedPackages.flatMap((name) => filesOf(name, directory));
  const others = negativePackages.flatMap((name) => filesOf(name, directory));
  const engines: [string, Engine][] = [
    ['SCANOSS', scanoss()],
    ['Dolos', await dolos()],
  ];
  const result: Record<string, unknown> = {};
  for (const [name, engine] of engines) {
    const table = new Map<number | string, Set<number>>();
    const start = process.cpuUsage();
    own.forEach((file, number) => {
      for (const print of engine(file.bytes)) (table.get(print) ?? table.set(print, new Set()).get(print))?.add(number);
    });
    const { user } = process.cpuUsage(start);
    const bytes = own.reduce((sum, file) => sum + file.bytes.length, 0);
    const best = (text: string | Buffer) => mostOfOne(engine(Buffer.from(text)), table);
    const random = randomFrom(seed);
    const recall = Object.fromEntries(
      Object.entries(wrappings).map(([wrapping, wrap]) => [
        wrapping,
        Object.fromEntries(lengths.map((length) => [length, recallOf(probes, () => best(wrap(lines(own, length, random), random).text))])),
      ]),
    );
    const accused = recallOf(negatives, (i) => best(lines(others, lengths[i % lengths.length] ?? 20, random).join('\n')));
    result[name] = { mbPerSecondCpu: bytes / user, recall, falsePositives: accused };
    print(name, bytes / user, recall, accused);
  }
  return result;
}

type Shares = readonly number[];

function recallOf(count: number, found: (i: number) => number): Shares {
  const hits = thresholds.map(() => 0);
  for (let i = 0; i < count; i++) {
    const most = found(i);
    thresholds.forEach((least, t) => {
      if (most >= least) hits[t] = (hits[t] ?? 0) + 1;
    });
  }
  return hits.map((hit) => hit / count);
}

function mostOfOne(prints: Iterable<number | string>, table: ReadonlyMap<number | string, ReadonlySet<number>>): number {
  const counts = new Map<number, number>();
  for (const print of new Set(prints)) for (const file of table.get(print) ?? []) counts.set(file, (counts.get(file) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

function lines(files: readonly SourceFile[], length: number, random: () => number): string[] {
  return snippet(files, length, random) ?? [];
}

function print(name: string, speed: number, recall: Readonly<Record<string, Record<string, Shares>>>, accused: Shares): void {
  const all = Object.values(recall);
  for (const [t, least] of thresholds.entries()) {
    const mean = (length: number) => all.reduce((sum, rows) => sum + (rows[length]?.[t] ?? 0), 0) / all.length;
    const shares = lengths.map((length) => `${(100 * mean(length)).toFixed(0)} % at ${length}`).join(', ');
    console.log(
      `${name}, ${least} of one file: ${shares} lines (mean of ${all.length} wrappings); verbatim ${lengths.map((length) => `${(100 * (recall['verbatim']?.[length]?.[t] ?? 0)).toFixed(0)} %`).join(' ')}; false positives ${(100 * (accused[t] ?? 0)).toFixed(2)} %`,
    );
  }
  console.log(`${name}: ${speed.toFixed(2)} MB/s CPU\n`);
}
