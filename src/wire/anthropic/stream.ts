// Anthropic Messages streams, to and from canonical steps (platform.claude.com, "Streaming messages").
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
import { unwrapSignature, wrapSignature } from '../canonical/signature.ts';
import { callId } from '../canonical/tool-names.ts';
import { messageIn } from '../error-body.ts';
import { type JsonObject, numberOf, objectOf, parseLenient, stringOf } from '../json.ts';
import { event, streamError } from '../refusal.ts';
import { mergeAnthropicUsage, type Usage, usageOf } from '../usage.ts';
import { readStop, writeStop, writeUsage } from './response.ts';

export class Reader implements StreamReader {
  #usage: Usage = noUsage;
  #stop: Stop = 'end';
  #stopSequence: string | undefined;
  #hasCalls = false;
  /** Open parts, and arguments that came with the opening instead of in deltas. */
  readonly #open = new Map<number, string>();

  read({ data }: { readonly data: string }): StreamStep[] {
    const body = objectOf(parseLenient(data));
    const part = numberOf(body?.['index']) ?? 0;
    switch (body?.['type']) {
      case 'message_start': {
        const message = objectOf(body['message']);
        this.#usage = usageOf('anthropic-messages', message) ?? noUsage;
        return [{ kind: 'start', id: stringOf(message?.['id']) ?? '', usage: this.#usage }];
      }
      case 'content_block_start':
        return this.#start(part, objectOf(body['content_block']) ?? {});
      case 'content_block_delta':
        return this.#open.has(part) ? this.#delta(part, objectOf(body['delta']) ?? {}) : [];
      case 'content_block_stop': {
        const early = this.#open.get(part);
        if (early === undefined) return [];
        this.#open.delete(part);
        return [...(early === '' ? [] : [{ kind: 'more', part, text: early } as const]), { kind: 'close', part }];
      }
      case 'message_delta': {
        const delta = objectOf(body['delta']);
        this.#stop = readStop(delta?.['stop_reason']);
        this.#stopSequence = stringOf(delta?.['stop_sequence']);
        this.#usage = mergeAnthropicUsage(this.#usage, body) ?? this.#usage;
        return [];
      }
      case 'message_stop': {
        const stopSequence = this.#stopSequence;
        return [
          {
            kind: 'end',
            stop: stopFor(this.#stop, this.#hasCalls),
            ...(stopSequence !== undefined && { stopSequence }),
            usage: this.#usage,
          },
        ];
      }
      case 'error':
        return [{ kind: 'fail', message: messageIn(body) ?? 'the upstream reported an error' }];
      default:
        return [];
    }
  }

  #start(part: number, block: JsonObject): StreamStep[] {
    switch (block['type']) {
      case 'text':
        this.#open.set(part, '');
        return [
          { kind: 'open', part, of: { kind: 'text' } },
          { kind: 'more', part, text: stringOf(block['text']) ?? '' },
        ];
      case 'thinking':
        this.#open.set(part, '');
        return [
          { kind: 'open', part, of: { kind: 'thinking' } },
          { kind: 'more', part, text: stringOf(block['thinking']) ?? '' },
        ];
      case 'redacted_thinking':
        this.#open.set(part, '');
        return [
          { kind: 'open', part, of: { kind: 'thinking' } },
          { kind: 'sign', part, signature: { dialect: 'anthropic-messages', value: stringOf(block['data']) ?? '', isRedacted: true } },
        ];
      case 'tool_use': {
        const input = objectOf(block['input']) ?? {};
        this.#hasCalls = true;
        this.#open.set(part, Object.keys(input).length > 0 ? JSON.stringify(input) : '');
        return [
          { kind: 'open', part, of: { kind: 'tool-call', id: callId(stringOf(block['id']) ?? ''), name: stringOf(block['name']) ?? '' } },
        ];
      }
      default:
        return [];
    }
  }

  #delta(part: number, delta: JsonObject): StreamStep[] {
    switch (delta['type']) {
      case 'text_delta':
        return [{ kind: 'more', part, text: stringOf(delta['text']) ?? '' }];
      case 'thinking_delta':
        return [{ kind: 'more', part, text: stringOf(delta['thinking']) ?? '' }];
      case 'input_json_delta':
        this.#open.set(part, '');
        return [{ kind: 'more', part, text: stringOf(delta['partial_json']) ?? '' }];
      case 'signature_delta':
        return [{ kind: 'sign', part, signature: unwrapSignature(stringOf(delta['signature']) ?? '', 'anthropic-messages') }];
      default:
        return [];
    }
  }

  finish(): StreamStep[] {
    // Said at `message_stop`.
    return [];
  }
}

export class Writer implements StreamWriter {
  readonly #context: AnswerContext;
  #index = -1;
  #kind = 'text';

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(step: StreamStep): string {
    const index = this.#index;
    switch (step.kind) {
      case 'start':
        return named('message_start', {
          message: {
            id: `msg_${bareId(step.id, this.#context)}`,
            type: 'message',
            role: 'assistant',
            model: this.#context.model,
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: writeUsage(step.usage ?? noUsage),
          },
        });
      case 'open':
        this.#index++;
        this.#kind = step.of.kind;
        return named('content_block_start', { index: this.#index, content_block: this.#block(step.of) });
      case 'more':
        return named('content_block_delta', { index, delta: this.#delta(step.text) });
      case 'sign':
        return named('content_block_delta', {
          index,
          delta: { type: 'signature_delta', signature: wrapSignature(step.signature, 'anthropic-messages') },
        });
      case 'close':
        return named('content_block_stop', { index });
      case 'end':
        return (
          named('message_delta', {
            delta: { stop_reason: writeStop(step.stop), stop_sequence: step.stopSequence ?? null },
            usage: writeUsage(step.usage),
          }) + named('message_stop', {})
        );
      case 'fail':
        return Buffer.from(streamError('anthropic-messages', step.message)).toString();
    }
  }

  #block(of: Extract<StreamStep, { kind: 'open' }>['of']): JsonObject {
    if (of.kind === 'text') return { type: 'text', text: '' };
    if (of.kind === 'thinking') return { type: 'thinking', thinking: '', signature: '' };
    return { type: 'tool_use', id: of.id, name: this.#context.toolOf(of.name).name, input: {} };
  }

  #delta(text: string): JsonObject {
    if (this.#kind === 'text') return { type: 'text_delta', text };
    return this.#kind === 'thinking' ? { type: 'thinking_delta', thinking: text } : { type: 'input_json_delta', partial_json: text };
  }
}

function named(type: string, fields: JsonObject): string {
  return event(type, { type, ...fields }).toString();
}
