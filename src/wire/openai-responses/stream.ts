// OpenAI Responses streams, to and from canonical steps. Clients read finished items (`output_item.done`) and the whole response at
// the end, so the writer keeps what it has written.
import type { Signature } from '../canonical/request.ts';
import {
  type AnswerContext,
  type AnswerPart,
  bareId,
  noUsage,
  type OpenPart,
  type StreamReader,
  type StreamStep,
  type StreamWriter,
  stopFor,
} from '../canonical/response.ts';
import { callId, customInput } from '../canonical/tool-names.ts';
import { messageIn, messageTo } from '../error-body.ts';
import { type JsonObject, numberOf, objectOf, objectsOf, parseLenient, stringOf } from '../json.ts';
import { event, responsesError, streamFailure } from '../refusal.ts';
import { usageOf } from '../usage.ts';
import { envelope, readReasoning, readStop, writeItem } from './response.ts';

export class Reader implements StreamReader {
  #parts = 0;
  #hasCalls = false;
  #isRefusal = false;
  /** Open parts by the place that the upstream gives them, with the text that has come. */
  readonly #open = new Map<string, { readonly part: number; text: string }>();
  /** Some text has come since the last finished message; places are not trusted for this, since servers get them wrong. */
  #hasText = false;

  read({ data }: { readonly data: string }): StreamStep[] {
    const body = objectOf(parseLenient(data));
    const item = objectOf(body?.['item']) ?? {};
    const place = String(numberOf(body?.['output_index']) ?? 0);
    const textPlace = `${place}.${numberOf(body?.['content_index']) ?? 0}`;
    const delta = stringOf(body?.['delta']) ?? '';
    switch (body?.['type']) {
      case 'response.created':
        return [{ kind: 'start', id: stringOf(objectOf(body['response'])?.['id']) ?? '' }];
      case 'response.output_item.added':
        return this.#itemAdded(place, item);
      case 'response.refusal.delta':
        this.#isRefusal = true;
        this.#hasText = true;
        return this.#more(textPlace, delta, { kind: 'text' });
      case 'response.output_text.delta':
        this.#hasText = true;
        return this.#more(textPlace, delta, { kind: 'text' });
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return this.#more(place, delta, { kind: 'thinking' });
      case 'response.reasoning_summary_part.added':
        return (this.#open.get(place)?.text ?? '') === '' ? [] : this.#more(place, '\n\n', { kind: 'thinking' });
      case 'response.function_call_arguments.delta':
        return this.#open.has(place) ? this.#more(place, delta) : [];
      case 'response.content_part.done':
        return this.#close(textPlace);
      case 'response.output_item.done':
        return this.#itemDone(place, item);
      case 'response.completed':
      case 'response.incomplete':
        return this.#finished(objectOf(body['response']) ?? {});
      case 'response.failed':
      case 'error':
        return [{ kind: 'fail', message: messageIn(body) ?? 'the upstream reported an error' }];
      default:
        return [];
    }
  }

  #openPart(place: string, of: OpenPart): StreamStep[] {
    const part = this.#parts++;
    this.#open.set(place, { part, text: '' });
    return [{ kind: 'open', part, of }];
  }

  #more(place: string, text: string, of?: OpenPart): StreamStep[] {
    const opened = this.#open.has(place) || !of ? [] : this.#openPart(place, of);
    const open = this.#open.get(place);
    if (!open) return opened;
    open.text += text;
    return [...opened, { kind: 'more', part: open.part, text }];
  }

  #close(place: string): StreamStep[] {
    const open = this.#open.get(place);
    this.#open.delete(place);
    return open ? [{ kind: 'close', part: open.part }] : [];
  }

  #itemAdded(place: string, item: JsonObject): StreamStep[] {
    if (item['type'] === 'reasoning') return this.#openPart(place, { kind: 'thinking' });
    if (item['type'] !== 'function_call' && item['type'] !== 'custom_tool_call') return [];
    this.#hasCalls = true;
    return this.#openPart(place, { kind: 'tool-call', id: callId(stringOf(item['call_id']) ?? ''), name: stringOf(item['name']) ?? '' });
  }

  /** The finished item is the authority: a server may send it without any deltas before. */
  #itemDone(place: string, item: JsonObject): StreamStep[] {
    if (item['type'] === 'message') return this.#messageDone(place, item);
    const isCall = item['type'] === 'function_call' || item['type'] === 'custom_tool_call';
    if (!isCall && item['type'] !== 'reasoning') return [];
    const added = this.#open.has(place) ? [] : this.#itemAdded(place, item);
    const open = this.#open.get(place);
    if (!open) return added;
    const { part, text } = open;
    const steps: StreamStep[] = [];
    if (isCall) {
      const whole = item['type'] === 'function_call' ? (stringOf(item['arguments']) ?? '') : customInput(stringOf(item['input']) ?? '');
      if (text === '') steps.push({ kind: 'more', part, text: whole });
    } else {
      const { text: whole, signature } = readReasoning(item);
      if (text === '') steps.push({ kind: 'more', part, text: whole });
      if (signature) steps.push({ kind: 'sign', part, signature });
    }
    return [...added, ...steps, ...this.#close(place)];
  }

  #messageDone(place: string, item: JsonObject): StreamStep[] {
    const parts = this.#hasText ? [] : objectsOf(item['content']);
    this.#hasText = false;
    const untold = parts.flatMap((part, n): StreamStep[] => {
      this.#isRefusal ||= part['type'] === 'refusal';
      return this.#more(`${place}.${n}`, stringOf(part['text']) ?? stringOf(part['refusal']) ?? '', { kind: 'text' });
    });
    return [...untold, ...[...this.#open.keys()].filter((key) => key.startsWith(`${place}.`)).flatMap((key) => this.#close(key))];
  }

  #finished(response: JsonObject): StreamStep[] {
    const untold = this.#parts > 0 ? [] : objectsOf(response['output']).flatMap((item, n) => this.#itemDone(String(n), item));
    const stop = this.#isRefusal ? 'filtered' : stopFor(readStop(response), this.#hasCalls);
    const usage = usageOf('openai-responses', response) ?? noUsage;
    return [...untold, ...[...this.#open.keys()].flatMap((place) => this.#close(place)), { kind: 'end', stop, usage }];
  }

  finish(): StreamStep[] {
    // Said at `response.completed`.
    return [];
  }
}

export class Writer implements StreamWriter {
  readonly #context: AnswerContext;
  #sequence = 0;
  #id = '';
  #items: JsonObject[] = [];
  #part: OpenPart = { kind: 'text' };
  #text = '';
  #signature: Signature | undefined;
  #itemId = '';

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(step: StreamStep): string {
    switch (step.kind) {
      case 'start': {
        this.#id = bareId(step.id, this.#context);
        const response = envelope(this.#id, this.#context, []);
        return this.#event('response.created', { response }) + this.#event('response.in_progress', { response });
      }
      case 'open':
        this.#part = step.of;
        this.#text = '';
        this.#signature = undefined;
        return this.#open();
      case 'more':
        this.#text += step.text;
        return this.#more(step.text);
      case 'sign':
        this.#signature = step.signature;
        return '';
      case 'close':
        return this.#close();
      case 'end': {
        const response = envelope(this.#id, this.#context, this.#items, step);
        return this.#event(response['status'] === 'completed' ? 'response.completed' : 'response.incomplete', { response });
      }
      case 'fail': {
        const { message, isTooLong } = messageTo('openai-responses', step.message);
        const error = streamFailure(message, isTooLong);
        const response = { ...envelope(this.#id, this.#context, this.#items), status: 'failed', error: { code: error.code, message } };
        return this.#event('error', responsesError(error)) + this.#event('response.failed', { response });
      }
    }
  }

  get #output_index(): number {
    return this.#items.length;
  }

  /** The item as it stands now. */
  get #item(): JsonObject {
    const text = this.#text;
    const signature = this.#signature && { signature: this.#signature };
    const part: AnswerPart =
      this.#part.kind === 'tool-call'
        ? { kind: 'tool-call', id: this.#part.id, name: this.#part.name, input: text }
        : this.#part.kind === 'thinking'
          ? { kind: 'thinking', text, ...signature }
          : { kind: 'text', text };
    return writeItem(part, `${this.#id}_${this.#output_index}`, this.#context);
  }

  #open(): string {
    const output_index = this.#output_index;
    const item = this.#item;
    const empty = { message: { content: [] }, function_call: { arguments: '' }, custom_tool_call: { input: '' } }[
      stringOf(item['type']) ?? ''
    ];
    this.#itemId = stringOf(item['id']) ?? '';
    const added = this.#event('response.output_item.added', {
      output_index,
      item: { ...item, ...(empty && { ...empty, status: 'in_progress' }) },
    });
    const at = { item_id: item['id'], output_index };
    if (this.#part.kind === 'text')
      return added + this.#event('response.content_part.added', { ...at, content_index: 0, part: outputText('') });
    if (this.#part.kind === 'thinking')
      return added + this.#event('response.reasoning_summary_part.added', { ...at, summary_index: 0, part: summaryText('') });
    return added;
  }

  #more(delta: string): string {
    const at = { item_id: this.#itemId, output_index: this.#output_index };
    if (this.#part.kind === 'text') return this.#event('response.output_text.delta', { ...at, content_index: 0, delta });
    if (this.#part.kind === 'thinking') return this.#event('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta });
    // The text of a freeform call has to be unpacked from its JSON first.
    return this.#context.toolOf(this.#part.name).isCustom ? '' : this.#event('response.function_call_arguments.delta', { ...at, delta });
  }

  #close(): string {
    const item = this.#item;
    const at = { item_id: item['id'], output_index: this.#output_index };
    const done = this.#ending(item, at) + this.#event('response.output_item.done', { output_index: this.#output_index, item });
    this.#items = [...this.#items, item];
    return done;
  }

  #ending(item: JsonObject, at: JsonObject): string {
    const text = this.#text;
    switch (item['type']) {
      case 'message':
        return (
          this.#event('response.output_text.done', { ...at, content_index: 0, text }) +
          this.#event('response.content_part.done', { ...at, content_index: 0, part: outputText(text) })
        );
      case 'reasoning':
        return (
          this.#event('response.reasoning_summary_text.done', { ...at, summary_index: 0, text }) +
          this.#event('response.reasoning_summary_part.done', { ...at, summary_index: 0, part: summaryText(text) })
        );
      case 'custom_tool_call':
        return (
          this.#event('response.custom_tool_call_input.delta', { ...at, delta: item['input'] }) +
          this.#event('response.custom_tool_call_input.done', { ...at, input: item['input'] })
        );
      default:
        return this.#event('response.function_call_arguments.done', { ...at, arguments: item['arguments'] });
    }
  }

  #event(type: string, fields: JsonObject): string {
    return event(type, { type, sequence_number: this.#sequence++, ...fields }).toString();
  }
}

function outputText(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [] };
}

function summaryText(text: string): JsonObject {
  return { type: 'summary_text', text };
}
