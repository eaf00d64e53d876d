// Many small calls through the built product, and what its resident memory does meanwhile. `npm run bench -- soak`; with a number of calls
// as INTRAMUR_SOAK_CALLS (default 1,000,000). Flat is a line through the second half of the samples that rises, over all of that half, by
// less than a twentieth of what is resident: garbage that waits moves it by as much. Ends with 1 when it is not.
import { drive, smallLoad } from './drive.ts';
import { cpuMicroseconds, residentBytes } from './processes.ts';
import { startSubjects, startUpstream } from './subjects.ts';

export interface SoakRow {
  readonly calls: number;
  readonly residentMB: number;
  readonly cpuPerCall: number;
  /** Since the first call. */
  readonly seconds: number;
}

export interface Soak {
  readonly calls: number;
  readonly failed: number;
  /** Of the line through the second half of the samples. */
  readonly bytesPerCall: number;
  readonly isFlat: boolean;
  readonly notes: readonly string[];
  readonly work: readonly SoakRow[];
}

const samples = 40;

export async function soak(calls = Number(process.env['INTRAMUR_SOAK_CALLS'] ?? 1_000_000)): Promise<Soak> {
  const upstream = await startUpstream();
  const { subjects, missing } = await startSubjects(`http://127.0.0.1:${upstream.port}`, ['intramur']);
  const [subject] = subjects;
  if (!subject) throw new Error(`nothing to soak: ${missing[0]?.why}`);
  const work: SoakRow[] = [];
  try {
    const each = Math.ceil(calls / samples);
    const began = performance.now();
    for (let sample = 1; sample <= samples; sample++) {
      const before = cpuMicroseconds(subject.process.pid);
      // A call that fails ends the soak: `drive` throws.
      await drive(subject, { ...smallLoad, calls: each });
      const row = {
        calls: sample * each,
        residentMB: Math.round(residentBytes(subject.process.pid) / 1e5) / 10,
        cpuPerCall: Math.round((cpuMicroseconds(subject.process.pid) - before) / each),
        seconds: Math.round((performance.now() - began) / 1000),
      };
      work.push(row);
      process.stderr.write(`${row.calls} calls, ${row.residentMB} MB, ${row.cpuPerCall} us each, ${row.seconds} s\n`);
    }
    return judged(work);
  } finally {
    subject.process.stop();
    upstream.stop();
  }
}

function judged(work: readonly SoakRow[]): Soak {
  const half = work.slice(samples / 2);
  const [first, last] = [half[0], half.at(-1)];
  if (!first || !last) throw new Error('nothing was sampled');
  const perCall = slope(half);
  const rise = (perCall * (last.calls - first.calls)) / 1e6;
  const isFlat = rise < last.residentMB / 20;
  if (!isFlat) process.exitCode = 1;
  const note =
    `${last.calls} calls in ${last.seconds} s, none failed; resident ${last.residentMB} MB, over the second half ` +
    `${rise < 0 ? 'down' : 'up'} ${Math.abs(Math.round(rise * 10) / 10)} MB: ${isFlat ? 'flat' : 'NOT FLAT'}`;
  return { calls: last.calls, failed: 0, bytesPerCall: Math.round(perCall * 10) / 10, isFlat, notes: [note], work };
}

/** Least squares: bytes of resident memory for each call. */
function slope(rows: readonly SoakRow[]): number {
  const x = rows.map(({ calls }) => calls);
  const y = rows.map(({ residentMB }) => residentMB * 1e6);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const over = x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] ?? 0) - my), 0);
  return over / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}
