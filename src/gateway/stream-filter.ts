// What happens to the bytes of a streamed answer on their way: nothing within one dialect, translation between two. Either way only
// whole events come out, so that a cut never shows half of one, and what is added always stands between two events.
import type { Dialect } from '../core/index.ts';
import { type StreamForm, type StreamTranslator, streamError, streamWatcher } from '../wire/index.ts';

/** As wire's translator: `end` gives the last bytes, an error event among them when the answer is not complete. */
export type StreamFilter = Omit<StreamTranslator, 'whole'>;

/** @param errorText the words of the error event, given what went wrong */
export function passThrough(dialect: Dialect, form: StreamForm, errorText: (fault: string) => string): StreamFilter {
  const watcher = streamWatcher(dialect, form);
  /** The beginning of an event whose end has not come yet. */
  let held: Uint8Array[] = [];
  let hasPassed = false;

  const errorEvent = (fault: string): Uint8Array => {
    const event = streamError(dialect, fault, form, watcher.nextSequence);
    if (form === 'sse' || hasPassed) return event;
    // Nothing of the array was sent: the error is all of it.
    const text = Buffer.from(event).toString();
    return Buffer.from(`[${text.slice(text.indexOf('{'))}]`);
  };

  return {
    push(chunk) {
      hasPassed = true;
      watcher.push(chunk);
      if (form === 'json-array') return chunk;
      const end = endOfEvents(chunk, held.at(-1));
      if (end === 0) {
        held.push(chunk);
        return nothing;
      }
      const whole = end === chunk.length ? chunk : chunk.subarray(0, end);
      const passed = held.length === 0 ? whole : Buffer.concat([...held, whole]);
      held = end === chunk.length ? [] : [chunk.subarray(end)];
      return passed;
    },
    end(failure) {
      if (failure === undefined) watcher.end();
      // What the dialect calls complete is complete, however the connection went down after it.
      if (watcher.isComplete) return Buffer.concat(held);
      // An error event of the upstream itself has been passed on; a second one would only hide it.
      return watcher.upstreamError === undefined ? errorEvent(errorText(failure ?? 'the answer of the upstream ended too early')) : nothing;
    },
    get isComplete() {
      return watcher.isComplete;
    },
    get usage() {
      return watcher.usage;
    },
    get upstreamError() {
      return watcher.upstreamError;
    },
  };
}

const nothing = new Uint8Array();
const lf = 0x0a;
const cr = 0x0d;

/** Offset in `chunk` after the last blank line, looking back into `before` where the line ends fall on both sides; 0 for none. */
function endOfEvents(chunk: Uint8Array, before: Uint8Array | undefined): number {
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
