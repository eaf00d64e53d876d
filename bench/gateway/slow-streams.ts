// Memory of many slow streams: 500 calls whose answers drip an event a second. All must come to their proper end, and what the subject's
// resident memory grows by while all are open, over its memory after a first, smaller wave, is what a stream costs.
import http from 'node:http';
import { bodyOf } from './drive.ts';
import type { Running } from './processes.ts';
import type { Subject } from './subjects.ts';

export interface StreamsRow {
  readonly subject: string;
  readonly streams: number;
  readonly completed: number;
  readonly kilobytesEach: number;
}

const events = 12;
const everyMs = 1000;

export async function slowStreams(subject: Subject, residentBytes: (pid: Running['pid']) => number, streams = 500): Promise<StreamsRow> {
  // Once before, so that code and pools are there: what is asked is what each further stream holds.
  await Promise.all(Array.from({ length: 20 }, () => stream(subject, 2, 100)));
  const before = residentBytes(subject.process.pid);
  const running = Array.from({ length: streams }, () => stream(subject, events, everyMs));
  let most = before;
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      most = Math.max(most, residentBytes(subject.process.pid));
    }
  })();
  const ended = await Promise.all(running);
  isOver = true;
  await watch;
  const completed = ended.filter((isWhole) => isWhole).length;
  return { subject: subject.name, streams, completed, kilobytesEach: Math.round((most - before) / streams / 102.4) / 10 };
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
