// Durable appends: how many a second, and what CPU each costs, against the floor of the same run: the same bytes appended to one file with
// one fdatasync for each group, and nothing else (no hashes, no tiles, no signature). Ratios are what to compare; the machine is shared.
import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EntryBody } from '../src/core/index.ts';
import { openLedger } from '../src/ledger/index.ts';

export interface Measurement {
  readonly appendsPerSecond: number;
  readonly cpuMicrosecondsPerAppend: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LedgerBench {
  readonly group: number;
  readonly floor: Measurement;
  readonly ledger: Measurement;
  /** Rate of the ledger over the rate of the floor; CPU of the ledger over the CPU of the floor. */
  readonly ratio: { readonly rate: number; readonly cpu: number };
}

const body: EntryBody = {
  action: 'llm.invoke',
  session: '3f0c9c0e-5f0e-4a57-9f4e-8a9c2b1d7e60',
  user: 'alice',
  agent: 'claude-code',
  purpose: 'research',
  class: 'model',
  host: 'api.vendor.example',
  port: 443,
  method: 'POST',
  path: '/v1/messages',
  requestedModel: 'some-model-4',
  provider: 'coder',
  perimeter: 'onprem',
  classification: 'internal',
  labels: ['source'],
  decision: 'allow',
  policies: ['perimeter.inside', 'baseline.model'],
  bytesOut: 48_213,
  bodySha256: 'ab'.repeat(32),
};
const entryBytes = 600;

/** `group` appends are under way at a time, `groups` times one after the other. */
export async function benchLedger(group: number, groups: number): Promise<LedgerBench> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'bench-ledger-'));
  try {
    const floor = await benchFloor(group, groups, path.join(root, 'floor'));
    const ledger = await openLedger({
      dir: path.join(root, 'ledger'),
      keyFile: path.join(root, 'key'),
      origin: 'bench.example',
      now: () => new Date(),
    });
    const measured = await measure(group, groups, async (count) => {
      await Promise.all(Array.from({ length: count }, () => ledger.append(body)));
    });
    await ledger.close();
    const ratio = {
      rate: round(measured.appendsPerSecond / floor.appendsPerSecond),
      cpu: round(measured.cpuMicrosecondsPerAppend / floor.cpuMicrosecondsPerAppend),
    };
    return { group, floor, ledger: measured, ratio };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function benchFloor(group: number, groups: number, file: string): Promise<Measurement> {
  const handle = await open(file, 'w');
  try {
    return await measure(group, groups, async (count) => {
      await handle.write(Buffer.alloc(count * entryBytes, 0x61));
      await handle.datasync();
    });
  } finally {
    await handle.close();
  }
}

async function measure(group: number, groups: number, append: (count: number) => Promise<void>): Promise<Measurement> {
  for (let i = 0; i < Math.min(20, groups); i += 1) await append(group);
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < groups; i += 1) {
    const before = performance.now();
    await append(group);
    times.push(performance.now() - before);
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return {
    appendsPerSecond: Math.round((group * groups) / seconds),
    cpuMicrosecondsPerAppend: round((user + system) / (group * groups)),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The rows of the report: one append at a time, and groups as they form under load. */
export async function run(): Promise<LedgerBench[]> {
  const rows: LedgerBench[] = [];
  for (const [group, groups] of [
    [1, 400],
    [10, 300],
    [100, 200],
    [1000, 40],
  ] as const) {
    rows.push(await benchLedger(group, groups));
  }
  return rows;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.table(
    (await run()).map(({ group, floor, ledger, ratio }) => ({
      group,
      'floor/s': floor.appendsPerSecond,
      'ledger/s': ledger.appendsPerSecond,
      'ledger p50 ms': ledger.p50Ms,
      'ledger p99 ms': ledger.p99Ms,
      'ledger CPU us': ledger.cpuMicrosecondsPerAppend,
      'rate ratio': ratio.rate,
      'CPU ratio': ratio.cpu,
    })),
  );
}
