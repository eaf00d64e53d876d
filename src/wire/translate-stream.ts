// A stream of one dialect as a stream of another: events → canonical steps → pruned and put in a row → events.
import { Pruner } from './canonical/prune.ts';
import type { CanonicalResponse, StreamStep, StreamWriter } from './canonical/response.ts';
import { Sequencer } from './canonical/sequence.ts';
import { CallIds } from './canonical/tool-names.ts';
import { SseDecoder } from './sse.ts';
import { dialectFunctions, readAnswer, type Translation } from './translate.ts';
import type { Usage } from './usage.ts';

export interface StreamTranslator {
  /** Bytes for the client, whole events; may be empty. Throws `UPSTREAM_PROTOCOL` on an event without bound. */
  push(chunk: Uint8Array): Uint8Array;
  /** For an upstream that ignored `stream` and answered whole. Throws `UPSTREAM_PROTOCOL` when it is no answer. */
  whole(body: Uint8Array): Uint8Array;
  /**
   * The upstream's stream is over. A clean end comes out only when the upstream ended as its dialect ends; else an error event.
   * @param failure set when the connection broke
   */
  end(failure?: string): Uint8Array;
  readonly isComplete: boolean;
  /** The best count so far; final once the stream is complete. */
  readonly usage: Usage | undefined;
  readonly upstreamError: string | undefined;
}

export function createStreamTranslator(translation: Translation): StreamTranslator {
  const { client, upstream, answer } = translation;
  const decoder = new SseDecoder();
  const reader = dialectFunctions[upstream].reader(answer.newId);
  const pruner = new Pruner();
  const sequencer = new Sequencer();
  const output = new Output(dialectFunctions[client].writer(answer), new CallIds(answer.mark));
  const pass = (steps: readonly StreamStep[]): string =>
    steps
      .flatMap((step) => pruner.push(step))
      .flatMap((step) => sequencer.push(step))
      .map((step) => output.write(step))
      .join('');
  return {
    push: (chunk) =>
      Buffer.from(
        decoder
          .push(chunk)
          .map((event) => pass(reader.read(event)))
          .join(''),
      ),
    whole: (body) => Buffer.from(pass(stepsOf(readAnswer(translation, body)))),
    end(failure) {
      const rest = failure === undefined ? decoder.end().map((event) => pass(reader.read(event))) : [];
      const last = rest.join('') + (failure === undefined ? pass(reader.finish()) : '');
      const message = failure ?? 'the upstream ended its stream before the answer was complete';
      return Buffer.from(last + output.write({ kind: 'fail', message }));
    },
    get isComplete() {
      return output.isComplete;
    },
    get usage() {
      return output.usage;
    },
    get upstreamError() {
      return output.error;
    },
  };
}

/** Writes steps and remembers how far the stream has come. Nothing is written after an end or a failure. */
class Output {
  readonly #writer: StreamWriter;
  readonly #ids: CallIds;
  #isStarted = false;
  #isOver = false;
  #thinking = '';
  isComplete = false;
  usage: Usage | undefined;
  error: string | undefined;

  constructor(writer: StreamWriter, ids: CallIds) {
    this.#writer = writer;
    this.#ids = ids;
  }

  write(step: StreamStep): string {
    if (step.kind === 'open' && step.of.kind === 'tool-call')
      return this.#write({ ...step, of: { ...step.of, id: this.#ids.next(step.of.id) } });
    return this.#write(step);
  }

  #write(step: StreamStep): string {
    if (this.#isOver || (step.kind === 'start' && this.#isStarted)) return '';
    // A failure before anything else is told as such, without pretending that an answer began.
    const isUnannounced = !this.#isStarted && step.kind !== 'start' && step.kind !== 'fail';
    const start = isUnannounced ? this.#writer.write({ kind: 'start', id: '' }) : '';
    this.#isStarted = true;
    this.#note(step);
    return start + this.#writer.write(step.kind === 'sign' ? { ...step, signature: { ...step.signature, text: this.#thinking } } : step);
  }

  #note(step: StreamStep): void {
    switch (step.kind) {
      case 'open':
        this.#thinking = '';
        break;
      case 'more':
        // A signature goes out with the words that it is for.
        this.#thinking += step.text;
        break;
      case 'start':
        this.usage = step.usage;
        break;
      case 'end':
        this.usage = step.usage;
        this.isComplete = true;
        this.#isOver = true;
        break;
      case 'fail':
        this.error = step.message;
        this.#isOver = true;
        break;
      default:
    }
  }
}

function stepsOf({ id, parts, stop, stopSequence, usage }: CanonicalResponse): StreamStep[] {
  return [
    { kind: 'start', id, usage },
    ...parts.flatMap((part, n): StreamStep[] => [
      { kind: 'open', part: n, of: part.kind === 'tool-call' ? { kind: 'tool-call', id: part.id, name: part.name } : { kind: part.kind } },
      { kind: 'more', part: n, text: part.kind === 'tool-call' ? part.input : part.text },
      ...(part.kind === 'thinking' && part.signature ? [{ kind: 'sign', part: n, signature: part.signature } as const] : []),
      { kind: 'close', part: n },
    ]),
    { kind: 'end', stop, ...(stopSequence !== undefined && { stopSequence }), usage },
  ];
}
