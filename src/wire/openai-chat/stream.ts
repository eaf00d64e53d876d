// OpenAI Chat Completions streams, to and from canonical steps. Fragments of parallel calls may come interleaved, and open servers
// differ in what they repeat: id and name may stand in every fragment or in the first alone.
import {
  type AnswerContext,
  bareId,
  noUsage,
  type Stop,
  type StreamReader,
  type StreamStep,
  type StreamWriter,
  stopFor,
} from '../canonical/response.ts';
import { callId, customText } from '../canonical/tool-names.ts';
import { messageIn } from '../error-body.ts';
import { type JsonObject, numberOf, objectOf, objectsOf, parseLenient, stringOf } from '../json.ts';
import { event, streamError } from '../refusal.ts';
import { type Usage, usageOf } from '../usage.ts';
import { readStop, writeStop, writeUsage } from './response.ts';

interface OpenCall {
  readonly part: number;
  readonly id: string | undefined;
}

export class Reader implements StreamReader {
  readonly #newId: () => string;
  #isStarted = false;
  #parts = 0;
  /** The text or thinking that is open. */
  #prose: { readonly part: number; readonly kind: 'text' | 'thinking' } | undefined;
  readonly #calls = new Map<number, OpenCall>();
  #hasCalls = false;
  #isRefusal = false;
  #stop: Stop | undefined;
  #usage: Usage = noUsage;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  read({ data }: { readonly data: string }): StreamStep[] {
    if (data.trim() === '[DONE]') return this.#done();
    const body = objectOf(parseLenient(data));
    if (!body) return [];
    if (body['error']) return [{ kind: 'fail', message: messageIn(body) ?? 'the upstream reported an error' }];
    this.#usage = usageOf('openai-chat', body) ?? this.#usage;
    const steps: StreamStep[] = [];
    if (!this.#isStarted) {
      this.#isStarted = true;
      steps.push({ kind: 'start', id: stringOf(body['id']) ?? '' });
    }
    const choice = objectsOf(body['choices']).find((one) => (one['index'] ?? 0) === 0);
    if (choice?.['finish_reason'] === 'error') return [...steps, { kind: 'fail', message: 'the upstream ended its answer with an error' }];
    const delta = objectOf(choice?.['delta']) ?? {};
    this.#prosePart('thinking', stringOf(delta['reasoning_content']) ?? stringOf(delta['reasoning']), steps);
    this.#prosePart('text', stringOf(delta['content']), steps);
    const refusal = stringOf(delta['refusal']);
    if (refusal) this.#isRefusal = true;
    this.#prosePart('text', refusal, steps);
    for (const call of objectsOf(delta['tool_calls'])) this.#call(call, steps);
    if (stringOf(choice?.['finish_reason']) !== undefined) this.#stop = readStop(choice?.['finish_reason']);
    return steps;
  }

  #prosePart(kind: 'text' | 'thinking', text: string | undefined, steps: StreamStep[]): void {
    if (!text) return;
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

  #call(call: JsonObject, steps: StreamStep[]): void {
    const definition = objectOf(call['function']) ?? {};
    const id = stringOf(call['id']) || undefined;
    const name = stringOf(definition['name']) || undefined;
    // Without an index, a new id is a new call.
    const index = numberOf(call['index']) ?? (id === undefined ? this.#calls.size - 1 : this.#calls.size);
    let open = this.#calls.get(index);
    if (open && id !== undefined && open.id !== undefined && id !== open.id) {
      steps.push({ kind: 'close', part: open.part });
      open = undefined;
    }
    if (!open) {
      if (name === undefined) return;
      this.#closeProse(steps);
      open = { part: this.#parts++, id };
      this.#calls.set(index, open);
      this.#hasCalls = true;
      steps.push({ kind: 'open', part: open.part, of: { kind: 'tool-call', id: callId(id ?? this.#newId()), name } });
    }
    const input = definition['arguments'];
    const text = typeof input === 'string' ? input : input === undefined || input === null ? '' : JSON.stringify(input);
    steps.push({ kind: 'more', part: open.part, text });
  }

  #done(): StreamStep[] {
    // [DONE] without a finish_reason is a server that gave up in the middle.
    if (this.#stop === undefined) return [];
    const steps: StreamStep[] = [];
    this.#closeProse(steps);
    for (const { part } of this.#calls.values()) steps.push({ kind: 'close', part });
    this.#calls.clear();
    const stop = this.#isRefusal ? 'filtered' : stopFor(this.#stop, this.#hasCalls);
    return [...steps, { kind: 'end', stop, usage: this.#usage }];
  }

  finish(): StreamStep[] {
    // Said at `[DONE]`.
    return [];
  }
}

export class Writer implements StreamWriter {
  readonly #context: AnswerContext;
  #id = '';
  #call = -1;
  #kind = 'text';
  #hasArguments = false;
  /** Text of a freeform call: it must be unpacked from its JSON, so it is written when it is whole. */
  #custom: string | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(step: StreamStep): string {
    switch (step.kind) {
      case 'start':
        this.#id = `chatcmpl-${bareId(step.id, this.#context)}`;
        return this.#chunk({ role: 'assistant', content: '' });
      case 'open':
        return this.#open(step.of);
      case 'more':
        return this.#more(step.text);
      case 'close': {
        const text = this.#custom;
        this.#custom = undefined;
        if (text !== undefined) return this.#chunk({ tool_calls: [{ index: this.#call, custom: { input: customText(text) } }] });
        // Clients parse the arguments, also those of a call that has none.
        return this.#kind === 'tool-call' && !this.#hasArguments ? this.#more('{}') : '';
      }
      case 'end':
        return (
          this.#chunk({}, writeStop(step.stop)) +
          (this.#context.includeUsage ? this.#event({ choices: [], usage: writeUsage(step.usage) }) : '') +
          'data: [DONE]\n\n'
        );
      case 'fail':
        return Buffer.from(streamError('openai-chat', step.message)).toString();
      case 'sign':
        return '';
    }
  }

  #open(of: Extract<StreamStep, { kind: 'open' }>['of']): string {
    this.#kind = of.kind;
    if (of.kind !== 'tool-call') return '';
    this.#call++;
    this.#hasArguments = false;
    const { name, isCustom } = this.#context.toolOf(of.name);
    this.#custom = isCustom ? '' : undefined;
    const call = isCustom ? { type: 'custom', custom: { name, input: '' } } : { type: 'function', function: { name, arguments: '' } };
    return this.#chunk({ tool_calls: [{ index: this.#call, id: of.id, ...call }] });
  }

  #more(text: string): string {
    if (this.#kind === 'text') return this.#chunk({ content: text });
    if (this.#kind === 'thinking') return this.#chunk({ reasoning_content: text });
    this.#hasArguments = true;
    if (this.#custom === undefined) return this.#chunk({ tool_calls: [{ index: this.#call, function: { arguments: text } }] });
    this.#custom += text;
    return '';
  }

  #chunk(delta: JsonObject, finish_reason: string | null = null): string {
    return this.#event({ choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
  }

  #event(fields: JsonObject): string {
    const { model, createdAt } = this.#context;
    return event(undefined, { id: this.#id, object: 'chat.completion.chunk', created: createdAt, model, ...fields }).toString();
  }
}
