// One request to one upstream and its answer. The answer begins with the first byte of the body, not with the headers: until then
// another target can still be tried. After that bytes flow with backpressure and nothing is collected here.
import { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { codeOf, IntramurError } from '../core/index.ts';
import type { Departure } from './departure.ts';

export interface UpstreamRequest {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly method: string;
  /** name, value, name, value, … */
  readonly headers: readonly string[];
  readonly body: Uint8Array | Readable | undefined;
  /** Until the answer begins, and later between two pieces of it. */
  readonly timeoutMs: number;
}

/** Takes the body of an answer. `data` returns false to be asked no more until `resume`. */
export interface Sink {
  data(chunk: Uint8Array): boolean;
  end(): void;
  fail(fault: IntramurError): void;
}

export interface Answer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  /** Hands the body over, from its first byte. Called once. */
  drain(sink: Sink): void;
  resume(): void;
  /** Drops the rest and closes the connection. */
  abort(): void;
}

export function send(agent: Agent, request: UpstreamRequest, signal?: Departure): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(closed());
    const exchange = new Exchange(request.timeoutMs, signal, resolve, reject);
    try {
      agent.dispatch(
        {
          origin: request.origin,
          path: request.path,
          method: request.method,
          headers: [...request.headers],
          body: handedOver(request.body),
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
    } catch (cause) {
      exchange.onResponseError(undefined, cause instanceof Error ? cause : new Error('dispatch failed'));
    }
  });
}

/** undici keeps the body of a request until its answer has ended, which may be minutes; of a stream it keeps nothing that was read. */
function handedOver(body: UpstreamRequest['body']): Uint8Array | Readable | null {
  if (!(body instanceof Uint8Array) || body.length < streamedFromBytes) return body ?? null;
  const once = new Readable({ read() {} });
  once.on('error', () => {}); // told of by the answer
  once.push(body);
  once.push(null);
  return once;
}

/** For less a stream costs more than it spares. */
const streamedFromBytes = 16 * 1024;

class Exchange implements Dispatcher.DispatchHandler, Answer {
  status = 0;
  rawHeaders: readonly string[] = [];
  readonly #signal: Departure | undefined;
  readonly #begin: (answer: Answer) => void;
  readonly #reject: (fault: IntramurError) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.#stop(closed());
  #controller: Dispatcher.DispatchController | undefined;
  #hasBegun = false;
  #isOver = false;
  #sink: Sink | undefined;
  #waiting: Uint8Array[] = [];
  /** What became of the answer while nobody had taken it yet. */
  #ending: { readonly fault?: IntramurError } | undefined;

  constructor(timeoutMs: number, signal: Departure | undefined, begin: (answer: Answer) => void, reject: (fault: IntramurError) => void) {
    this.#signal = signal;
    this.#begin = begin;
    this.#reject = reject;
    this.#timer = setTimeout(() => this.#isSilent(), timeoutMs);
    signal?.addEventListener('abort', this.#onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(closed());
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    this.status = status;
    this.rawHeaders = (controller.rawHeaders as Buffer[]).map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    this.#timer.refresh();
    if (this.#sink) {
      if (!this.#sink.data(chunk)) controller.pause();
      return;
    }
    this.#waiting.push(chunk);
    controller.pause();
    this.#started();
  }

  onResponseEnd(): void {
    this.#finish({});
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: Error): void {
    this.#finish({ fault: faultOf(cause, this.status > 0) });
  }

  drain(sink: Sink): void {
    this.#sink = sink;
    let wantsMore = true;
    for (const chunk of this.#waiting) wantsMore = sink.data(chunk);
    this.#waiting = [];
    if (this.#ending) this.#tell(sink, this.#ending);
    else if (wantsMore) this.resume();
  }

  resume(): void {
    if (this.#controller?.paused) this.#controller.resume();
  }

  abort(): void {
    this.#stop(closed());
  }

  #started(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#begin(this);
  }

  #isSilent(): void {
    // While the caller takes its time the upstream is not to blame.
    if (this.#controller?.paused) this.#timer.refresh();
    else if (this.#hasBegun) this.#stop(new IntramurError('UPSTREAM_PROTOCOL', 'the answer came to a halt'));
    else this.#stop(new IntramurError('UPSTREAM_UNREACHABLE', 'no answer began in time'));
  }

  #stop(fault: IntramurError): void {
    if (this.#isOver) return;
    this.#finish({ fault });
    this.#controller?.abort(fault);
  }

  #finish(ending: { readonly fault?: IntramurError }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (!this.#hasBegun && ending.fault) return this.#reject(ending.fault);
    this.#ending = ending;
    this.#started();
    if (this.#sink) this.#tell(this.#sink, ending);
  }

  #tell(sink: Sink, { fault }: { readonly fault?: IntramurError }): void {
    if (fault) sink.fail(fault);
    else sink.end();
  }
}

function closed(): IntramurError {
  return new IntramurError('UPSTREAM_UNREACHABLE', 'the caller went away');
}

/** undici's errors in our two words: never reached, or reached and broken. */
function faultOf(cause: Error, hasAnswered: boolean): IntramurError {
  if (codeOf(cause)) return cause as IntramurError;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const isProtocol =
    hasAnswered || code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
  return isProtocol
    ? new IntramurError('UPSTREAM_PROTOCOL', `the answer broke off (${code || cause.name})`, { cause })
    : new IntramurError('UPSTREAM_UNREACHABLE', `the connection failed (${code || cause.name})`, { cause });
}

/** True when the connection died before any answer: the server may have closed an idle connection just as we used it. */
export function wasReset(fault: unknown): boolean {
  if (!(fault instanceof IntramurError) || fault.code !== 'UPSTREAM_UNREACHABLE') return false;
  const { cause } = fault;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** Reads a whole answer; `undefined` when it is longer than `limit`. */
export function collect(answer: Answer, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    answer.drain({
      data(chunk) {
        size += chunk.length;
        if (size > limit) {
          resolve(undefined);
          answer.abort();
          return true;
        }
        chunks.push(chunk);
        return true;
      },
      end: () => resolve(chunks.length === 1 && Buffer.isBuffer(chunks[0]) ? chunks[0] : Buffer.concat(chunks)),
      fail: reject,
    });
  });
}
