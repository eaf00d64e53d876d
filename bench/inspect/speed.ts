// How fast inspection is, in one process and one run: CPU time where a machine is shared, wall time beside it.
import crypto from 'node:crypto';
import { createInspector, loadBackground } from '../../src/inspect/index.ts';
import { extractor } from '../../src/inspect/source/extract.ts';
import { E8_WORDS, newGrams, wordGrams } from '../../src/inspect/source/grams.ts';
import { keyer } from '../../src/inspect/source/keyer.ts';
import { lex, newTokens } from '../../src/inspect/source/lexer.ts';
import { buildTable } from '../../src/inspect/source/table.ts';
import { filesOf, negativePackages, protectedPackages } from './corpus.ts';
import { indexOf } from './quality.ts';

const LINES = 10_000_000;

export async function measureSpeed({ directory }: { readonly directory: string }): Promise<Record<string, number>> {
  const own = protectedPackages.flatMap((name) => filesOf(name, directory));
  const text = Buffer.concat(negativePackages.flatMap((name) => filesOf(name, directory)).map(({ bytes }) => bytes));
  const bytes = own.reduce((sum, file) => sum + file.bytes.length, 0);
  const result: Record<string, number> = {};
  const note = (name: string, value: number, unit: string) => {
    result[name] = value;
    console.log(`${name.padEnd(56)} ${value.toFixed(value < 10 ? 2 : 0).padStart(9)} ${unit}`);
  };

  const tokens = newTokens();
  const grams = newGrams('E8');
  const lexing = cpuMs(() => {
    for (const file of own) wordGrams(lex(file.bytes, tokens), E8_WORDS, grams);
  });
  note('lexing and word runs', bytes / 1000 / lexing, 'MB/s CPU');
  let lines = 0;
  const extract = extractor(keyer(Buffer.alloc(16, 7)), loadBackground()).extract;
  const building = cpuMs(() => {
    lines = 0;
    for (const file of own) lines += extract(file.bytes).lines;
  });
  note('index build', (lines / building) * 60_000, 'lines a minute CPU');

  const { index, entries } = indexOf(own);
  const inspector = createInspector({ fingerprints: index });
  const call = (parts: readonly Buffer[]) =>
    Buffer.from(JSON.stringify({ model: 'm', messages: parts.map((part) => ({ role: 'user', content: part.toString('latin1') })) }));
  const parts = (start: number, size: number) =>
    Array.from({ length: Math.floor(size / 5000) }, (_, i) => text.subarray(start + i * 5000, start + (i + 1) * 5000));
  const inspect = (body: Buffer, session?: string) =>
    inspector.inspect({ bytes: body, contentType: 'application/json', views: [] }, session === undefined ? {} : { session });

  const cold: { cpu: number; wall: number }[] = [];
  for (let i = 0; i < 8; i++) cold.push(await timed(() => inspect(call(parts(i * 800_000, 760_000)))));
  note('800 KB cold, all detectors and views, median', median(cold.slice(2).map(({ cpu }) => cpu)), 'ms CPU');
  note('800 KB cold, best', Math.min(...cold.map(({ wall }) => wall)), 'ms');

  const history = [...parts(0, 760_000)];
  await inspect(call(history), 's');
  const increments: number[] = [];
  const again: number[] = [];
  for (let i = 0; i < 60; i++) {
    history.push(text.subarray(4_000_000 + i * 20_000, 4_020_000 + i * 20_000));
    const body = call(history);
    increments.push((await inspect(body, 's')).ms);
    again.push((await inspect(body, 's')).ms);
  }
  note('20 KB more on a history of 0.8 to 2 MB, median', median(increments), 'ms');
  note('20 KB more on a history of 0.8 to 2 MB, p99', quantile(increments, 0.99), 'ms');
  note('history sent again, median', median(again), 'ms');
  note('history sent again, p99', quantile(again, 0.99), 'ms');

  const perLine = entries / lines;
  const large = Math.round(LINES * perLine);
  const { table, ms } = syntheticTable(large);
  note('index of 10 million lines', table.memory.byteLength / 1e6, 'MB');
  note('table of 10 million lines built in', ms, 'ms CPU');
  return result;
}

/** As many random keys as so many lines would give. */
function syntheticTable(keys: number) {
  const step = 1 << 20;
  function* chunks() {
    for (let done = 0; done < keys; done += step) {
      const count = Math.min(step, keys - done);
      yield {
        keys: {
          high: new Uint32Array(crypto.randomBytes(4 * count).buffer.slice(0)),
          low: new Uint32Array(crypto.randomBytes(4 * count).buffer.slice(0)),
        },
        document: 1,
      };
    }
  }
  let table = buildTable([], 1, () => false);
  const ms = cpuMs(() => {
    table = buildTable(chunks(), keys, () => false);
  });
  return { table, ms };
}

function cpuMs(step: () => void): number {
  const start = process.cpuUsage();
  step();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

async function timed(step: () => Promise<unknown>): Promise<{ cpu: number; wall: number }> {
  const start = performance.now();
  const before = process.cpuUsage();
  await step();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1000, wall: performance.now() - start };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

const median = (values: readonly number[]) => quantile(values, 0.5);
