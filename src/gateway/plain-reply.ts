// The body of a direct exchange on its way back: counted, with backpressure, and destroyed rather than ended when it breaks off.
import { Readable } from 'node:stream';
import type { IntramurError } from '../core/index.ts';
import type { Answer, Sink } from './upstream.ts';

export interface PlainEnd {
  readonly bytesIn: number;
  readonly fault?: string;
}

export class PlainReply extends Readable implements Sink {
  readonly #onEnd: (end: PlainEnd) => void;
  #answer: Answer | undefined;
  #bytesIn = 0;
  #isOver = false;

  constructor(onEnd: (end: PlainEnd) => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#onEnd = onEnd;
  }

  passOn(answer: Answer): void {
    this.#answer = answer;
    answer.drain(this);
  }

  data(chunk: Uint8Array): boolean {
    this.#bytesIn += chunk.length;
    return this.push(chunk);
  }

  end(): void {
    this.#finish(undefined);
    this.push(null);
  }

  fail(fault: IntramurError): void {
    this.#finish(fault.message);
    this.destroy(fault);
  }

  override _read(): void {
    this.#answer?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isOver) {
      this.#finish('the caller went away');
      this.#answer?.abort();
    }
    callback(error);
  }

  #finish(fault: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd({ bytesIn: this.#bytesIn, ...(fault === undefined ? {} : { fault }) });
  }
}
