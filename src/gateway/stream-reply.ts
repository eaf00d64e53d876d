// A streamed answer on its way to the caller. Bytes pass unchanged but only in whole events, so that a cut never shows half of one,
// and what we add (a sign of life, the error event) always stands between two events.
import { Readable } from 'node:stream';
import type { Dialect, IntramurError } from '../core/index.ts';
import { keepAlive, type StreamForm, streamError, streamWatcher, type Usage } from '../wire/index.ts';
import type { Answer, Sink } from './upstream.ts';

export interface StreamEnd {
  readonly bytesIn: number;
  readonly usage: Usage | undefined;
  /** Left out when the stream came to its own end. */
  readonly fault?: string;
}

export interface StreamReplyOptions {
  readonly dialect: Dialect;
  readonly form: StreamForm;
  /** Silence after which the caller is shown a sign of life. */
  readonly keepAliveMs: number;
  /** Text of the error event, given what went wrong. */
  readonly errorText: (fault: string) => string;
  /** Called once, whatever the end. */
  readonly onEnd: (end: StreamEnd) => void;
}

export class StreamReply extends Readable implements Sink {
  readonly #options: StreamReplyOptions;
  readonly #watcher: ReturnType<typeof streamWatcher>;
  readonly #timer: NodeJS.Timeout;
  #answer: Answer | undefined;
  #bytesIn = 0;
  /** The beginning of an event whose end has not come yet. */
  #held: Uint8Array[] = [];
  #isOver = false;

  constructor(options: StreamReplyOptions) {
    super({ highWaterMark: 64 * 1024 });
    this.#options = options;
    this.#watcher = streamWatcher(options.dialect, options.form);
    this.#timer = setTimeout(() => this.showLife(), options.keepAliveMs);
  }

  /** Begins to pass this answer on. */
  passOn(answer: Answer): void {
    if (this.#isOver) return answer.abort();
    this.#answer = answer;
    answer.drain(this);
  }

  data(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#bytesIn += chunk.length;
    try {
      this.#watcher.push(chunk);
    } catch {
      this.#answer?.abort();
      this.#close('the upstream sent an event without end');
      return true;
    }
    const whole = this.#wholeEvents(chunk);
    if (whole === undefined) return true;
    this.#timer.refresh();
    return this.push(whole);
  }

  end(): void {
    this.#ended(this.#watcher.upstreamError === undefined ? 'the answer of the upstream ended too early' : 'the upstream failed');
  }

  fail(fault: IntramurError): void {
    this.#ended(fault.message);
  }

  /** Ends the stream with the dialect's error event. */
  failWith(fault: string): void {
    this.#close(fault);
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

  /** What the dialect calls complete is complete, however the connection went down after it. */
  #ended(fault: string): void {
    if (this.#isOver) return;
    const { isComplete } = this.#watcher;
    if (isComplete && this.#held.length > 0) this.push(Buffer.concat(this.#held));
    this.#close(isComplete ? undefined : fault);
  }

  #close(fault: string | undefined): void {
    if (this.#isOver) return;
    // An error event of the upstream itself has been passed on; a second one would only hide it.
    if (fault !== undefined && this.#watcher.upstreamError === undefined) this.push(this.#errorEvent(fault));
    this.#finish(fault);
    this.push(null);
  }

  #finish(fault: string | undefined): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#options.onEnd({ bytesIn: this.#bytesIn, usage: this.#watcher.usage, ...(fault === undefined ? {} : { fault }) });
  }

  #errorEvent(fault: string): Uint8Array {
    const { dialect, form, errorText } = this.#options;
    const event = streamError(dialect, errorText(fault), form);
    if (form !== 'json-array' || this.#bytesIn > 0) return event;
    // Nothing of the array was sent: the error is all of it.
    const text = Buffer.from(event).toString();
    return Buffer.from(`[${text.slice(text.indexOf('{'))}]`);
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

  /** What can be passed on up to the last end of an event; the rest is held. A JSON array is passed as it comes. */
  #wholeEvents(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#options.form === 'json-array') return chunk;
    const end = endOfEvents(chunk, this.#held);
    if (end === 0) {
      this.#held.push(chunk);
      return undefined;
    }
    const whole = end === chunk.length ? chunk : chunk.subarray(0, end);
    const passed = this.#held.length === 0 ? whole : Buffer.concat([...this.#held, whole]);
    this.#held = end === chunk.length ? [] : [chunk.subarray(end)];
    return passed;
  }
}

const lf = 0x0a;
const cr = 0x0d;

/** Offset in `chunk` after the last blank line, looking back into what is held where the line ends fall on both sides; 0 for none. */
function endOfEvents(chunk: Uint8Array, held: readonly Uint8Array[]): number {
  const before = held.at(-1);
  const at = (i: number): number | undefined => (i >= 0 ? chunk[i] : before?.[before.length + i]);
  for (let i = chunk.length - 1; i >= 0; i--) {
    const byte = chunk[i];
    if (byte === lf) {
      const previous = at(i - 1);
      if (previous === lf || (previous === cr && (at(i - 2) === lf || at(i - 2) === cr))) return i + 1;
    } else if (byte === cr && at(i - 1) === cr) return i + 1;
  }
  return 0;
}
