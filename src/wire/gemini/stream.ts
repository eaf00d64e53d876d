// Gemini streams, to and from canonical steps. Calls come whole; nothing marks the end but a finish reason and the end of the stream.
import {
  type AnswerContext,
  bareId,
  noUsage,
  type OpenPart,
  type Stop,
  type StreamReader,
  type StreamStep,
  type StreamWriter,
  stopFor,
} from '../canonical/response.ts';
import { carriedThinking, wrapSignature } from '../canonical/signature.ts';
import { messageIn } from '../error-body.ts';
import { type JsonObject, objectOf, parseLenient, stringOf } from '../json.ts';
import { event, streamError } from '../refusal.ts';
import { type Usage, usageOf } from '../usage.ts';
import { chunk, partsOf, readEnd, readPart, writePart } from './response.ts';

export class Reader implements StreamReader {
  readonly #newId: () => string;
  #isStarted = false;
  #parts = 0;
  #prose: { readonly part: number; readonly kind: 'text' | 'thinking' } | undefined;
  #hasCalls = false;
  #stop: Stop | undefined;
  #usage: Usage = noUsage;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  read({ data }: { readonly data: string }): StreamStep[] {
    const body = objectOf(parseLenient(data));
    if (!body) return [];
    if (body['error']) return [{ kind: 'fail', message: messageIn(body) ?? 'the upstream reported an error' }];
    this.#usage = usageOf('gemini', body) ?? this.#usage;
    const steps: StreamStep[] = [];
    if (!this.#isStarted) {
      this.#isStarted = true;
      steps.push({ kind: 'start', id: stringOf(body['responseId']) ?? '', usage: this.#usage });
    }
    for (const part of partsOf(body)) this.#part(part, steps);
    const { stop, failure } = readEnd(body);
    if (failure !== undefined) steps.push({ kind: 'fail', message: failure });
    this.#stop = stop ?? this.#stop;
    return steps;
  }

  #part(raw: JsonObject, steps: StreamStep[]): void {
    for (const part of readPart(raw, this.#newId)) {
      if (part.kind === 'tool-call') {
        this.#hasCalls = true;
        this.#closeProse(steps);
        const { id, name } = part;
        this.#whole({ kind: 'tool-call', id, name }, part.input, undefined, steps);
      } else if (part.kind === 'thinking' && part.signature) {
        this.#closeProse(steps);
        this.#whole({ kind: 'thinking' }, part.text, part.signature, steps);
      } else this.#more(part.kind, part.text, steps);
    }
  }

  #whole(of: OpenPart, text: string, signature: Extract<StreamStep, { kind: 'sign' }>['signature'] | undefined, steps: StreamStep[]): void {
    const part = this.#parts++;
    steps.push({ kind: 'open', part, of }, { kind: 'more', part, text });
    if (signature) steps.push({ kind: 'sign', part, signature });
    steps.push({ kind: 'close', part });
  }

  #more(kind: 'text' | 'thinking', text: string, steps: StreamStep[]): void {
    if (this.#prose?.kind !== kind) {
      this.#closeProse(steps);
      this.#prose = { part: this.#parts++, kind };
      steps.push({ kind: 'open', part: this.#prose.part, of: { kind } });
    }
    steps.push({ kind: 'more', part: this.#prose.part, text });
  }

  #closeProse(steps: StreamStep[]): void {
    if (this.#prose) steps.push({ kind: 'close', part: this.#prose.part });
    this.#prose = undefined;
  }

  finish(): StreamStep[] {
    if (this.#stop === undefined) return [];
    const steps: StreamStep[] = [];
    this.#closeProse(steps);
    return [...steps, { kind: 'end', stop: stopFor(this.#stop, this.#hasCalls), usage: this.#usage }];
  }
}

export class Writer implements StreamWriter {
  readonly #context: AnswerContext;
  #id = '';
  #part: OpenPart = { kind: 'text' };
  #arguments = '';
  #thinking = '';
  /** Waits for the part that it belongs to. */
  #signature: string | undefined;
  #isFirst = true;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(step: StreamStep): string {
    switch (step.kind) {
      case 'start':
        this.#id = bareId(step.id, this.#context);
        return '';
      case 'open':
        this.#part = step.of;
        this.#arguments = '';
        this.#thinking = '';
        return '';
      case 'more':
        if (this.#part.kind === 'tool-call') {
          this.#arguments += step.text;
          return '';
        }
        if (this.#part.kind === 'text') return this.#send({ text: step.text, ...this.#signed() });
        this.#thinking += step.text;
        return this.#send({ text: step.text, thought: true });
      case 'sign':
        this.#signature = wrapSignature(step.signature, 'gemini');
        this.#thinking = '';
        return '';
      case 'close': {
        const part = this.#part;
        if (part.kind === 'thinking') this.#signature = carriedThinking(this.#thinking, 'gemini') ?? this.#signature;
        if (part.kind !== 'tool-call') return '';
        const call = writePart({ kind: 'tool-call', id: part.id, name: part.name, input: this.#arguments }, this.#context);
        return this.#send({ ...call, ...this.#signed() });
      }
      case 'end': {
        const last = this.#framed(chunk(this.#id, this.#context, [{ text: '' }], step));
        return this.#context.form === 'json-array' ? `${last}]` : last;
      }
      case 'fail': {
        const error = Buffer.from(streamError('gemini', step.message, this.#context.form)).toString();
        // When nothing of the array was sent, the error is all of it.
        return this.#context.form === 'json-array' && this.#isFirst ? `${error.replace(/^,\r\n/, '[')}]` : error;
      }
    }
  }

  #signed(): JsonObject {
    const signature = this.#signature;
    this.#signature = undefined;
    return signature === undefined ? {} : { thoughtSignature: signature };
  }

  #send(part: JsonObject): string {
    return this.#framed(chunk(this.#id, this.#context, [part]));
  }

  #framed(data: JsonObject): string {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (this.#context.form === 'sse') return event(undefined, data).toString();
    return `${isFirst ? '[' : ',\r\n'}${JSON.stringify(data)}`;
  }
}
