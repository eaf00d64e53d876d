// A streamed answer on its way to the caller: with backpressure, with signs of life while the upstream is silent, and with the
// dialect's own error event when it fails after the first byte.
import { Readable } from 'node:stream';
import type { Dialect, IntramurError } from '../core/index.ts';
import { keepAlive, type StreamForm, type Usage } from '../wire/index.ts';
import type { StreamRestorer } from './restore-secrets.ts';
import { passThrough, type StreamFilter } from './stream-filter.ts';
import type { Answer, Sink } from './upstream.ts';

export interface StreamEnd {
  readonly bytesIn: number;
  readonly usage: Usage | undefined;
  /** Left out when the stream came to its own end. */
  readonly fault?: string;
}

export interface StreamReplyOptions {
  /** The caller's. */
  readonly dialect: Dialect;
  readonly form: StreamForm;
  /** Silence after which the caller is shown a sign of life. */
  readonly keepAliveMs: number;
  /** Text of the error event, given what went wrong. */
  readonly errorText: (fault: string) => string;
  /** Set when secrets of the call were replaced: gives them back on the last step to the caller. */
  readonly restorer?: StreamRestorer;
  /** Called once, whatever the end. */
  readonly onEnd: (end: StreamEnd) => void;
}

export class StreamReply extends Readable implements Sink {
  readonly #options: StreamReplyOptions;
  readonly #timer: NodeJS.Timeout;
  #filter: StreamFilter;
  #answer: Answer | undefined;
  #bytesIn = 0;
  #isOver = false;

  constructor(options: StreamReplyOptions) {
    super({ highWaterMark: 64 * 1024 });
    this.#options = options;
    this.#filter = this.#restoring(passThrough(options.dialect, options.form, options.errorText));
    this.#timer = setTimeout(() => this.showLife(), options.keepAliveMs);
  }

  /** Begins to pass this answer on, through a translator when it is in another dialect. */
  passOn(answer: Answer, translator?: StreamFilter): void {
    if (this.#isOver) return answer.abort();
    if (translator) this.#filter = this.#restoring(inOurWords(translator, this.#options.errorText));
    this.#answer = answer;
    answer.drain(this);
  }

  data(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#bytesIn += chunk.length;
    let passed: Uint8Array;
    try {
      passed = this.#filter.push(chunk);
    } catch {
      this.#answer?.abort();
      this.failWith('the upstream sent an event without end');
      return true;
    }
    if (passed.length === 0) return true;
    this.#timer.refresh();
    return this.push(passed);
  }

  end(): void {
    this.#close(undefined);
  }

  fail(fault: IntramurError): void {
    this.#close(fault.message);
  }

  /** Ends the stream with the dialect's error event. */
  failWith(fault: string): void {
    this.#close(fault);
  }

  /** Sends a sign of life and waits for the next silence. */
  showLife(): void {
    if (this.#isOver) return;
    const { dialect, form } = this.#options;
    const isBetween = form === 'sse' || this.#bytesIn === 0;
    // A caller that does not read needs no sign of life.
    if (isBetween && this.readableLength < this.readableHighWaterMark) this.push(keepAlive(dialect, form));
    this.#timer.refresh();
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

  #restoring(filter: StreamFilter): StreamFilter {
    const { restorer } = this.#options;
    return restorer ? restored(filter, restorer) : filter;
  }

  #close(fault: string | undefined): void {
    if (this.#isOver) return;
    const filter = this.#filter;
    const hasFailed = filter.upstreamError !== undefined;
    const last = filter.end(fault);
    if (last.length > 0) this.push(last);
    const reason = fault ?? (hasFailed ? 'the upstream failed' : 'the answer of the upstream ended too early');
    this.#finish(filter.isComplete ? undefined : reason);
    this.push(null);
  }

  #finish(fault: string | undefined): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#options.onEnd({ bytesIn: this.#bytesIn, usage: this.#filter.usage, ...(fault === undefined ? {} : { fault }) });
  }
}

function restored(filter: StreamFilter, restorer: StreamRestorer): StreamFilter {
  return {
    push: (chunk) => restorer.push(filter.push(chunk)),
    end: (failure) => Buffer.concat([restorer.push(filter.end(failure)), restorer.end()]),
    get isComplete() {
      return filter.isComplete;
    },
    get usage() {
      return filter.usage;
    },
    get upstreamError() {
      return filter.upstreamError;
    },
  };
}

/** A translator takes the words of an error as they are. */
function inOurWords(translator: StreamFilter, errorText: (fault: string) => string): StreamFilter {
  return {
    push: (chunk) => translator.push(chunk),
    end: (failure) => translator.end(failure === undefined ? undefined : errorText(failure)),
    get isComplete() {
      return translator.isComplete;
    },
    get usage() {
      return translator.usage;
    },
    get upstreamError() {
      return translator.upstreamError;
    },
  };
}
