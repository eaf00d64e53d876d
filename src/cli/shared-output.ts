// What `run` says goes to a standard error that it shares with the program inside, and often with its standard output. Node's own streams
// would switch a shared pipe to non-blocking for everybody who holds it: the program's writes would then fail as soon as a reader is slow, and
// its output would be lost. INVARIANT: nothing in a launch opens Node's streams on descriptors 1 and 2; Node itself asks for them
// whenever two streams are piped together.
import fs from 'node:fs';
import { Writable } from 'node:stream';

const [stdout, stderr] = [1, 2];
/** A reader that is slower than this loses what we say, never what the program says. */
const patienceMs = 5000;
const pauseMs = 2;

export function shareOutput(): void {
  for (const [name, fd] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    let stream: Writable | undefined;
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => (stream ??= plainStream(fd)) });
  }
}

function plainStream(fd: number): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      writeAll(fd, chunk);
      done();
    },
  });
}

/** Waits where somebody else has made the pipe non-blocking. Nobody is left to be told of a fault. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0, waited = 0; at < bytes.length && waited < patienceMs; ) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (fault) {
      if (!(fault instanceof Error && 'code' in fault && fault.code === 'EAGAIN')) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      waited += pauseMs;
    }
  }
}
