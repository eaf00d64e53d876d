// How well source is recognised: probes from the protected packages in every wrapping, negatives from unrelated ones.
import { createInspector, type Inspector, loadBackground } from '../../src/inspect/index.ts';
import { extractor } from '../../src/inspect/source/extract.ts';
import type { FingerprintIndex } from '../../src/inspect/source/index-file.ts';
import { keyer } from '../../src/inspect/source/keyer.ts';
import { buildTable } from '../../src/inspect/source/table.ts';
import { filesOf, negativePackages, protectedPackages, type SourceFile } from './corpus.ts';
import { type Wrapping, wrappings } from './wrappings.ts';

export interface QualityOptions {
  readonly directory: string;
  readonly seed: number;
  readonly probes: number;
  readonly negatives: number;
}

/** Deterministic (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function indexOf(files: readonly SourceFile[]): { index: FingerprintIndex; lines: number; entries: number } {
  const secret = Buffer.alloc(32, 7);
  const { extract } = extractor(keyer(secret), loadBackground());
  let lines = 0;
  const parts = files.map((file, i) => {
    const extracted = extract(file.bytes);
    lines += extracted.lines;
    return { keys: extracted.keys, document: i + 1 };
  });
  const entries = parts.reduce((sum, part) => sum + part.keys.low.length, 0);
  const documents = files.map((file) => ({ repository: file.package, path: file.path, classification: 'restricted' as const }));
  return { index: { table: buildTable(parts, entries, () => false), secret, documents, version: 'bench' }, lines, entries };
}

export const lengths = [5, 10, 20, 50] as const;

export async function measureQuality({ directory, seed, probes, negatives }: QualityOptions) {
  const own = protectedPackages.flatMap((name) => filesOf(name, directory));
  const { index, lines, entries } = indexOf(own);
  const inspector = createInspector({ fingerprints: index, detectors: [] });
  const random = randomFrom(seed);
  const recall: Record<string, Record<number, { block: number; route: number; count: number }>> = {};
  for (const [name, wrap] of Object.entries(wrappings)) {
    const rows: Record<number, { block: number; route: number; count: number }> = {};
    for (const length of lengths) rows[length] = await recallOf(inspector, own, wrap, length, probes, random);
    recall[name] = rows;
  }
  return {
    index: { files: own.length, lines, entries, bytes: index.table.memory.byteLength },
    recall,
    falsePositives: await falsePositives(inspector, directory, negatives, random),
  };
}

/** A snippet that says something: enough lines of it are code. */
export function snippet(files: readonly SourceFile[], length: number, random: () => number): string[] | undefined {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const file = files[Math.floor(random() * files.length)];
    const lines = file?.bytes.toString('utf8').split('\n') ?? [];
    if (lines.length <= length) continue;
    const start = Math.floor(random() * (lines.length - length));
    const part = lines.slice(start, start + length);
    const solid = part.filter((line) => /[A-Za-z].*[A-Za-z].*[A-Za-z]/.test(line) && !/^\s*(?:\/\/|#|\*|\/\*)/.test(line));
    if (solid.length >= 0.6 * length) return part;
  }
  return undefined;
}

const MOST_TRIES = 500;

async function recallOf(
  inspector: Inspector,
  files: readonly SourceFile[],
  wrap: Wrapping,
  length: number,
  probes: number,
  random: () => number,
) {
  const found = { block: 0, route: 0, count: 0 };
  for (let i = 0; i < probes; i++) {
    const part = snippet(files, length, random);
    if (!part) throw new Error(`the corpus has no ${length} lines of code in a row`);
    const { text, contentType = 'text/plain' } = wrap(part, random);
    const { findings } = await inspector.inspect({ bytes: Buffer.from(text), contentType, views: [] });
    const tiers = new Set(findings.filter(({ kind }) => kind === 'source').map(({ tier }) => tier));
    if (tiers.has('block')) found.block += 1;
    if (tiers.has('block') || tiers.has('route')) found.route += 1;
    if (tiers.size > 0) found.count += 1;
  }
  return { block: found.block / probes, route: found.route / probes, count: found.count / probes };
}

/** What a protected package shares with its origin (Rack's error page in Sinatra, Commons Lang's builders in Mockito): finding it is right. */
const copied = /sinatra\/show_exceptions\.rb$|commons\/lang3\/builder\/\w+\.java$/;

const negativeWrappings = [
  'verbatim',
  'JSON call',
  'JSON in JSON',
  'cat -n',
  'unified diff',
  'base64',
  'reformatted',
  'all names changed',
  'ROT13',
] as const;
const negativeLengths = [5, 10, 20, 50, 100, 200] as const;

async function falsePositives(inspector: Inspector, directory: string, count: number, random: () => number) {
  const found = { total: 0, block: 0, route: 0, count: 0 };
  const worst: string[] = [];
  const note = async (text: string | Buffer, contentType: string, of: string) => {
    const { findings } = await inspector.inspect({ bytes: Buffer.from(text), contentType, views: [] });
    const tiers = new Set(findings.filter(({ kind }) => kind === 'source').map(({ tier }) => tier));
    found.total += 1;
    if (tiers.has('block')) found.block += 1;
    if (tiers.has('block') || tiers.has('route')) {
      found.route += 1;
      worst.push(`${of} ~ ${findings.find(({ kind, tier }) => kind === 'source' && tier !== 'count')?.document} (${[...tiers].join(' ')})`);
    }
    if (tiers.size > 0) found.count += 1;
  };
  const packages = negativePackages
    .map((name) => filesOf(name, directory).filter((file) => !copied.test(file.path)))
    .filter((files) => files.length > 0);
  for (let i = 0; i < count; i++) {
    const files = packages[Math.floor(random() * packages.length)] ?? [];
    const length = negativeLengths[Math.floor(random() * negativeLengths.length)] ?? 20;
    const longEnough = files.filter(({ bytes }) => bytes.length > 40 * length);
    if (longEnough.length === 0) continue;
    const name = negativeWrappings[Math.floor(random() * negativeWrappings.length)] ?? 'verbatim';
    const part = snippet(longEnough, length, random);
    const wrapped = part && wrappings[name]?.(part, random);
    if (wrapped) await note(wrapped.text, wrapped.contentType ?? 'text/plain', `${files[0]?.package} ${name} ${length}`);
  }
  for (const files of packages) {
    for (let i = 0; i < Math.ceil(count / 20 / packages.length); i++) {
      const file = files[Math.floor(random() * files.length)];
      if (file) await note(file.bytes, 'text/plain', `${file.package} ${file.path}`);
    }
  }
  return { ...found, worst };
}
