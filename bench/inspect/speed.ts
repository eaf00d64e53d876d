// How fast inspection is, in one process and one run. Beside the milliseconds stand ratios to what the same process does with the same
// bytes at the same time (a pass over memory, SCANOSS), because a shared machine stretches both.
import crypto from 'node:crypto';
import { createInspector, createWorkers, loadBackground } from '../../src/inspect/index.ts';
import { extractor, winnow } from '../../src/inspect/source/extract.ts';
import { E8_WORDS, newGrams, wordGrams } from '../../src/inspect/source/grams.ts';
import { keyer } from '../../src/inspect/source/keyer.ts';
import { lex, newTokens } from '../../src/inspect/source/lexer.ts';
import { buildTable } from '../../src/inspect/source/table.ts';
import { filesOf, negativePackages, protectedPackages } from './corpus.ts';
import { scanoss } from './peers.ts';
import { indexOf } from './quality.ts';

const LINES = 10_000_000;
/** What a call ends in. */
const CLOSED = ']}';

export async function measureSpeed({ directory }: { readonly directory: string }): Promise<Record<string, number>> {
  const own = protectedPackages.flatMap((name) => filesOf(name, directory));
  const text = Buffer.concat(negativePackages.flatMap((name) => filesOf(name, directory)).map(({ bytes }) => bytes));
  const result: Record<string, number> = {};
  const note = (name: string, value: number, unit: string) => {
    result[name] = value;
    console.log(`${name.padEnd(66)} ${value.toFixed(value < 10 ? 2 : 0).padStart(9)} ${unit}`);
  };

  measureFingerprints(
    own.map(({ bytes }) => bytes),
    note,
  );

  const { index, entries, lines } = indexOf(own);
  const fingerprints = {
    ...index,
    table: tableOf(
      Math.round((LINES * entries) / lines),
      own.map(({ bytes }) => bytes),
      index.secret,
      note,
    ),
  };
  const fingerprintKey = crypto.randomBytes(32);
  const inspector = createInspector({ fingerprints, fingerprintKey });
  const workers = createWorkers({ fingerprints, fingerprintKey, most: 2 });
  const far = createInspector({ fingerprints, fingerprintKey, workers });
  const call = (parts: readonly Buffer[]) =>
    Buffer.from(JSON.stringify({ model: 'm', messages: parts.map((part) => ({ role: 'user', content: part.toString('latin1') })) }));
  const parts = (start: number, size: number) =>
    Array.from({ length: Math.floor(size / 5000) }, (_, i) => text.subarray(start + i * 5000, start + (i + 1) * 5000));
  const look = (by: typeof inspector, bytes: Buffer, session?: string) =>
    by.inspect({ bytes, contentType: 'application/json', views: [] }, session === undefined ? {} : { session });

  const cold = { here: [] as number[], there: [] as number[], pass: [] as number[] };
  for (let i = 0; i < 60; i++) {
    const body = call(parts((i * 300_000) % (text.length - 800_000), 760_000));
    const here = await wallMs(() => look(inspector, body));
    const there = await wallMs(() => look(far, body));
    const pass = await wallMs(async () => sumOf(body));
    if (i < 20) continue;
    cold.here.push(here);
    cold.there.push(there);
    cold.pass.push(pass);
  }
  note('800 KB cold, in this thread, best', Math.min(...cold.here), 'ms');
  note('800 KB cold, in this thread, median', median(cold.here), 'ms');
  note('800 KB cold, in two workers and back, best', Math.min(...cold.there), 'ms');
  note('800 KB cold, in two workers and back, median', median(cold.there), 'ms');
  note('800 KB cold, passes over memory that take as long', median(cold.here) / median(cold.pass), 'passes');

  const history = [...parts(0, 760_000)];
  const grown = async (size: number, steps: number, talks: number): Promise<{ more: number[]; again: number[] }> => {
    const more: number[] = [];
    const again: number[] = [];
    await look(far, call(history), 's');
    for (let talk = 0; talk < talks; talk++) {
      // Each body is written where the last one stood. Sixty of them, each new, are a hundred megabytes that the collector of garbage runs after
      // while the inspector is measured, and memory that no cache has seen; what was received a moment ago is neither.
      const room = Buffer.alloc(call(history).length + steps * (2 * size + 64));
      let length = call(history).copy(room) - CLOSED.length;
      const added = Array.from({ length: steps }, (_, j) => {
        const more = text.subarray(4_000_000 + (talk * steps + j) * size).subarray(0, size);
        return Buffer.from(`,${JSON.stringify({ role: 'user', content: more.toString('latin1') })}`);
      });
      for (const [i, part] of added.entries()) {
        length += part.copy(room, length);
        const body = room.subarray(0, length + room.write(CLOSED, length));
        const first = (await look(far, body, 's')).ms;
        const second = (await look(far, body, 's')).ms;
        if (i === 0 || talk === 0) continue;
        more.push(first);
        again.push(second);
      }
    }
    return { more, again };
  };
  const { more, again } = await grown(20_000, 60, 5);
  const { more: large } = await grown(100_000, 12, 5);
  for (const [name, values] of Object.entries({
    '20 KB more on a history of 0.8 to 2 MB': more,
    '100 KB more on a history of 0.8 to 2 MB, in a worker and back': large,
    'the same history again': again,
  })) {
    note(`${name}, best`, Math.min(...values), 'ms');
    note(`${name}, median`, median(values), 'ms');
    note(`${name}, p99`, quantile(values, 0.99), 'ms');
  }
  await workers.close();
  return result;
}

type Note = (name: string, value: number, unit: string) => void;

/** Our fingerprints of a file beside SCANOSS's, file by file, so that both meet the same disturbances. */
function measureFingerprints(files: readonly Buffer[], note: Note): void {
  const { extract } = extractor(keyer(Buffer.alloc(32, 7)), loadBackground());
  const peer = scanoss();
  for (const file of files.slice(0, 600)) extract(file);
  const some = files.filter((_, i) => i % 12 === 0);
  const tokens = newTokens();
  const grams = newGrams('E8');
  const every = Int32Array.from({ length: 1 << 20 }, (_, i) => i);
  const words = (file: Buffer) => winnow(wordGrams(lex(file, tokens), E8_WORDS, grams), every.subarray(0, grams.count), 4);
  for (const file of files.slice(0, 600)) words(file);
  let wordsOnly = 0;
  let ours = 0;
  let theirs = 0;
  let lines = 0;
  for (let start = 0; start < some.length; start += 20) {
    const batch = some.slice(start, start + 20);
    // Ten times, because the clock of CPU time is coarse.
    ours += cpuMs(() => {
      for (let i = 0; i < 10; i++) for (const file of batch) lines += extract(file).lines;
    });
    wordsOnly += cpuMs(() => {
      for (let i = 0; i < 10; i++) for (const file of batch) words(file);
    });
    theirs += cpuMs(() => {
      for (const file of batch) void peer(file);
    });
  }
  const bytes = some.reduce((sum, file) => sum + file.length, 0);
  note('fingerprints of SCANOSS', bytes / 1000 / theirs, 'MB/s CPU');
  note('lexing and winnowed runs of words', (10 * bytes) / 1000 / wordsOnly, 'MB/s CPU');
  note('… as often as SCANOSS', (10 * theirs) / wordsOnly, 'times');
  note('all four channels, public ones taken out, keyed', (10 * bytes) / 1000 / ours, 'MB/s CPU');
  note('… all four, as often as SCANOSS', (10 * theirs) / ours, 'times');
  note('index build', (lines / ours) * 60_000, 'lines a minute CPU');
}

/** The keys of the files, and random ones up to as many as ten million lines would have. */
function tableOf(keys: number, files: readonly Buffer[], secret: Uint8Array, note: Note) {
  const { extract } = extractor(keyer(secret), loadBackground());
  const step = 1 << 20;
  let left = keys;
  function* chunks() {
    for (const [i, file] of files.entries()) {
      const own = extract(file).keys;
      left -= own.low.length;
      yield { keys: own, document: i + 1 };
    }
    for (; left > 0; left -= step) {
      const count = Math.min(step, left);
      const random = () => new Uint32Array(Uint8Array.from(crypto.randomBytes(4 * count)).buffer);
      yield { keys: { high: random(), low: random() }, document: 1 };
    }
  }
  let table = buildTable([], 1, () => false);
  const ms = cpuMs(() => {
    table = buildTable(chunks(), keys, () => false);
  });
  note('index of 10 million lines', table.memory.byteLength / 1e6, 'MB');
  note('table of 10 million lines built in', ms, 'ms CPU');
  return table;
}

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i] ?? 0;
  return sum;
}

function cpuMs(step: () => void): number {
  const start = process.threadCpuUsage();
  step();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

async function wallMs(step: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await step();
  return performance.now() - start;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

const median = (values: readonly number[]) => quantile(values, 0.5);
