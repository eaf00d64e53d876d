// What a model call costs in the gateway, side by side with a bare Node + undici proxy, nginx, Portkey's gateway and claude-code-router in
// one run: CPU and rate of small calls, streams and large bodies, time added to the first byte, and memory of 500 slow streams. Each
// subject is a program of its own, so that the kernel's count of its CPU is the measure; rounds alternate, because the machine is
// shared. Intramur runs as built, with inspection, default policy and durable ledger; the others inspect, decide and record nothing.
// `npm run bench -- gateway`; with INTRAMUR_BENCH_SUBJECTS=bare,intramur only those.
import { drive, type Load, loads, streamLoad } from './gateway/drive.ts';
import { type FirstByteRow, firstBytes } from './gateway/first-byte.ts';
import { cpuMicroseconds, residentBytes } from './gateway/processes.ts';
import { type StreamsRow, slowStreams } from './gateway/slow-streams.ts';
import { type Missing, type Subject, startSubjects, startUpstream } from './gateway/subjects.ts';

export interface CallRow {
  readonly load: string;
  readonly subject: string;
  /** Median over the rounds, microseconds of CPU for each call. */
  readonly cpu: number;
  /** Median over the rounds of this CPU over that of `bare` in the same round. */
  readonly timesBare: number;
  /** Median over the rounds; 64 connections for small calls. */
  readonly callsPerSecond: number;
}

interface Figures {
  readonly calls: readonly CallRow[];
  readonly firstByte: readonly FirstByteRow[];
  readonly streams: readonly StreamsRow[];
  readonly missing: readonly Missing[];
}

interface Measured {
  readonly subject: Subject;
  readonly cpu: number[];
  readonly rate: number[];
}

/** Enough for the engines to compile what is hot: what is measured is a gateway that has run for a while. */
const warmUpRounds = 10;

async function measureCalls(subjects: readonly Subject[], load: Load, rounds: number): Promise<CallRow[]> {
  const measured = subjects.map((subject): Measured => ({ subject, cpu: [], rate: [] }));
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const { subject, cpu, rate } of measured) {
      const calls = Math.ceil(load.calls * subject.share);
      const before = cpuMicroseconds(subject.process.pid);
      const began = performance.now();
      await drive(subject, { ...load, calls });
      if (round < 0) continue;
      rate.push((calls / (performance.now() - began)) * 1000);
      cpu.push((cpuMicroseconds(subject.process.pid) - before) / calls);
    }
  }
  const floor = measured.find(({ subject }) => subject.name === 'bare')?.cpu ?? [];
  return measured.map(({ subject, cpu, rate }) => ({
    load: load.load,
    subject: subject.name,
    cpu: Math.round(median(cpu)),
    timesBare: hundredths(median(cpu.map((each, round) => each / (floor[round] ?? Number.NaN)))),
    callsPerSecond: Math.round(median(rate)),
  }));
}

/** Subjects that answer this load as they should; the others are said to be missing from it. */
async function ableTo(load: Load, subjects: readonly Subject[], missing: Missing[]): Promise<readonly Subject[]> {
  const able: Subject[] = [];
  for (const subject of subjects) {
    try {
      await drive(subject, { ...load, calls: 1, atOnce: 1 });
      able.push(subject);
    } catch (fault) {
      missing.push({ name: `${subject.name}, ${load.load}`, why: fault instanceof Error ? fault.message : String(fault) });
    }
  }
  return able;
}

export async function run(rounds = 7): Promise<Figures> {
  const upstream = await startUpstream();
  const { subjects, missing: absent } = await startSubjects(
    `http://127.0.0.1:${upstream.port}`,
    process.env['INTRAMUR_BENCH_SUBJECTS']?.split(','),
  );
  const missing = [...absent];
  try {
    // Memory first: a process that was busy before has room in its heap, and what a stream holds would not show.
    const streaming = await ableTo(streamLoad, subjects, []);
    const streams: StreamsRow[] = [];
    for (const subject of streaming) streams.push(await slowStreams(subject, residentBytes));
    const calls: CallRow[] = [];
    for (const load of loads) {
      const rows = await measureCalls(await ableTo(load, subjects, missing), load, rounds);
      console.table(rows);
      calls.push(...rows);
    }
    const firstByte = await firstBytes(upstream, streaming);
    return { calls, firstByte, streams, missing };
  } finally {
    for (const { process: running } of subjects) running.stop();
    upstream.stop();
  }
}

function show({ firstByte, streams, missing }: Figures): void {
  console.table(firstByte);
  console.table(streams);
  for (const { name, why } of missing) console.log(`not measured: ${name}: ${why}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.main) show(await run(Number(process.argv[2] ?? 7)));
