// Memory of many slow streams: 500 calls whose answers drip an event a second. All must come to their proper end. What the subject's
// resident memory grows by while all are open, over its memory after a first, smaller wave, is looked at twice: at its highest, which holds
// what an engine has not collected yet, and at its lowest in the second half, when the burst of 500 calls at once is over: what is held.
import http from 'node:http';
import { bodyOf } from './drive.ts';
import type { Running } from './processes.ts';
import type { Subject } from './subjects.ts';

export interface StreamsRow {
  readonly subject: string;
  readonly streams: number;
  readonly completed: number;
  readonly highestKilobytesEach: number;
  readonly heldKilobytesEach: number;
}

/** Long enough for V8 to see that little happens, and to give back the room that it took for the burst: about ten seconds. */
const events = 24;
const everyMs = 1000;
const settleMs = 4000;

export async function slowStreams(subject: Subject, residentBytes: (pid: Running['pid']) => number, streams = 500): Promise<StreamsRow> {
  // Once before, so that code and pools are there, also what is loaded a while after a first call: what is asked is what each further stream holds.
  await Promise.all(Array.from({ length: 20 }, () => stream(subject, 2, 100)));
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const before = residentBytes(subject.process.pid);
  const began = performance.now();
  const running = Array.from({ length: streams }, () => stream(subject, events, everyMs));
  const early: number[] = [];
  const late: number[] = [];
  let isOver = false;
  for (const one of running) void one.finally(() => (isOver = true));
  const watch = (async () => {
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const isLate = performance.now() - began > (events * everyMs) / 2;
      (isLate ? late : early).push(residentBytes(subject.process.pid));
    }
  })();
  const ended = await Promise.all(running);
  await watch;
  const completed = ended.filter((isWhole) => isWhole).length;
  const each = (bytes: number): number => Math.round((bytes - before) / streams / 102.4) / 10;
  return {
    subject: subject.name,
    streams,
    completed,
    highestKilobytesEach: each(Math.max(...early, ...late)),
    heldKilobytesEach: each(Math.min(...late)),
  };
}

/** @returns whether the stream came to the end that its dialect asks for */
function stream(subject: Subject, count: number, every: number): Promise<boolean> {
  return new Promise((resolve) => {
    const { port } = subject.process;
    const request = http.request(
      { host: '127.0.0.1', port, method: 'POST', path: subject.path, headers: { ...subject.headers }, agent: false },
      (response) => {
        let words = 0;
        let tail = '';
        response.on('data', (chunk: Buffer) => {
          const text = chunk.toString();
          words += text.split('word ').length - 1;
          tail = (tail + text).slice(-200);
        });
        response.on('error', () => resolve(false));
        response.on('close', () =>
          resolve(words >= count && (subject.speaks === 'chat' ? tail.includes('[DONE]') : tail.includes('message_stop'))),
        );
      },
    );
    request.on('error', () => resolve(false));
    request.end(bodyOf(subject, `slow ${count} ${every}`, true));
  });
}
