// Looks over a stream's shoulder while its bytes pass unchanged: did it end as its dialect ends, what did it use, did it fail. A
// stream that merely stops is a cut, and the gateway then says so instead of ending cleanly.
import type { Dialect } from '../core/index.ts';
import type { StreamForm } from './detect.ts';
import { messageIn } from './error-body.ts';
import { type JsonObject, numberOf, objectOf, objectsOf, parseLenient, stringOf } from './json.ts';
import { JsonArrayDecoder } from './json-array.ts';
import { SseDecoder, type StreamEvent } from './sse.ts';
import { mergeAnthropicUsage, type Usage, usageOf } from './usage.ts';

export interface StreamWatcher {
  /** Throws `UPSTREAM_PROTOCOL` on an event without bound. */
  push(chunk: Uint8Array): void;
  /** The stream is over, and not because it broke. */
  end(): void;
  /** True once the dialect's own end was seen. */
  readonly isComplete: boolean;
  /** What the stream has stated so far; the last word is the final count. */
  readonly usage: Usage | undefined;
  /** The upstream's own error event. */
  readonly upstreamError: string | undefined;
  /** The number that the next event would have, where the dialect counts them (Responses). */
  readonly nextSequence: number;
}

interface Seen {
  /** The last event that has a number; it is read when somebody asks. */
  numbered: string;
  isComplete: boolean;
  usage: Usage | undefined;
  upstreamError: string | undefined;
}

export function streamWatcher(dialect: Dialect, form: StreamForm = 'sse'): StreamWatcher {
  const seen: Seen = { numbered: '', isComplete: false, usage: undefined, upstreamError: undefined };
  const decoder = dialect === 'gemini' && form === 'json-array' ? new JsonArrayDecoder() : new SseDecoder();
  const watch = watchers[dialect];
  return {
    push(chunk) {
      for (const event of decoder.push(chunk)) watch(event, seen);
    },
    end() {
      if (decoder instanceof SseDecoder) for (const event of decoder.end()) watch(event, seen);
    },
    get isComplete() {
      return seen.isComplete && (decoder instanceof SseDecoder || decoder.isClosed);
    },
    get usage() {
      return seen.usage;
    },
    get upstreamError() {
      return seen.upstreamError;
    },
    get nextSequence() {
      const last = numberOf(objectOf(parseLenient(seen.numbered))?.['sequence_number']);
      return last === undefined ? 0 : last + 1;
    },
  };
}

type Watch = (event: StreamEvent, seen: Seen) => void;

/** Parses only events that can matter: most of a stream is text deltas. */
function relevant(event: StreamEvent, words: RegExp): JsonObject | undefined {
  return words.test(event.data) ? objectOf(parseLenient(event.data)) : undefined;
}

const watchers: Readonly<Record<Dialect, Watch>> = {
  'anthropic-messages': (event, seen) => {
    const data = relevant(event, /"(?:message_start|message_delta|message_stop|error)"/);
    switch (data?.['type']) {
      case 'message_start':
        seen.usage = usageOf('anthropic-messages', data['message']);
        break;
      case 'message_delta':
        seen.usage = mergeAnthropicUsage(seen.usage, data);
        break;
      case 'message_stop':
        seen.isComplete = true;
        break;
      case 'error':
        seen.upstreamError = messageIn(data) ?? 'error';
        break;
      default:
    }
  },

  'openai-chat': (event, seen) => {
    if (event.data.trim() === '[DONE]') {
      seen.isComplete = true;
      return;
    }
    const data = relevant(event, /"(?:usage|error)"/);
    if (data?.['error']) seen.upstreamError = messageIn(data) ?? 'error';
    seen.usage = usageOf('openai-chat', data) ?? seen.usage;
  },

  'openai-responses': (event, seen) => {
    if (event.data.includes('"sequence_number"')) seen.numbered = event.data;
    const data = relevant(event, /"(?:response\.(?:completed|incomplete|failed)|error)"/);
    const type = stringOf(data?.['type']);
    if (type === 'error' || type === 'response.failed') seen.upstreamError = messageIn(data) ?? 'error';
    if (type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed') {
      seen.isComplete = true;
      seen.usage = usageOf('openai-responses', data?.['response']);
    }
  },

  gemini: (event, seen) => {
    const data = relevant(event, /"(?:usageMetadata|finishReason|blockReason|error)"/);
    if (data?.['error']) seen.upstreamError = messageIn(data) ?? 'error';
    seen.usage = usageOf('gemini', data) ?? seen.usage;
    const isFinished = objectsOf(data?.['candidates']).some((candidate) => candidate['finishReason']);
    if (isFinished || objectOf(data?.['promptFeedback'])?.['blockReason']) seen.isComplete = true;
  },
};
