// Takes a server-sent event stream apart (WHATWG HTML, "Server-sent events"), however the bytes are split. Bounded: an upstream
// that sends one endless line is cut off.
import { StringDecoder } from 'node:string_decoder';
import { IntramurError } from '../core/index.ts';

export interface StreamEvent {
  /** The `event:` field; empty when there was none. */
  readonly name: string;
  readonly data: string;
}

/** Longest event that is accepted, in characters. Tool arguments with a whole file in them arrive as one event in some dialects. */
export const maxEvent = 32 * 1024 * 1024;

export class SseDecoder {
  readonly #decoder = new StringDecoder('utf8');
  /** Pieces of the unfinished line; joined once, so that a long line in small chunks costs linear time. */
  #pieces: string[] = [];
  #size = 0;
  #isFirst = true;
  #lastWasCr = false;
  #name = '';
  #data: string[] = [];

  /** The events that are complete with this chunk. Throws `UPSTREAM_PROTOCOL` when one grows beyond `maxEvent`. */
  push(chunk: Uint8Array): StreamEvent[] {
    let text = this.#decoder.write(chunk);
    if (text === '') return [];
    if (this.#isFirst) {
      this.#isFirst = false;
      if (text.startsWith('\ufeff')) text = text.slice(1);
    }
    // A CR ended the last line; an LF right after it belongs to the same line end.
    if (this.#lastWasCr && text.startsWith('\n')) text = text.slice(1);
    if (text === '') {
      this.#lastWasCr = false;
      return [];
    }
    this.#lastWasCr = text.endsWith('\r');

    const events: StreamEvent[] = [];
    let start = 0;
    lineEnd.lastIndex = 0;
    for (let end = lineEnd.exec(text); end !== null; end = lineEnd.exec(text)) {
      this.#pieces.push(text.slice(start, end.index));
      const line = this.#pieces.join('');
      this.#pieces = [];
      start = lineEnd.lastIndex;
      this.#line(line, events);
    }
    if (start < text.length) this.#keep(text.slice(start));
    return events;
  }

  /**
   * What stands at the end of the stream without the blank line behind it. The specification drops it; servers that leave out the last line
   * end mean it all the same.
   */
  end(): StreamEvent[] {
    const events: StreamEvent[] = [];
    const line = this.#pieces.join('');
    this.#pieces = [];
    if (line !== '') this.#line(line, events);
    this.#line('', events);
    return events;
  }

  #keep(piece: string): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size > maxEvent) throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream sent an event that is too long');
  }

  #line(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ name: this.#name, data: this.#data.join('\n') });
      this.#name = '';
      this.#data = [];
      this.#size = 0;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#name = value;
    if (field !== 'data') return;
    this.#data.push(value);
    this.#size += value.length;
    if (this.#size > maxEvent) throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream sent an event that is too long');
  }
}

const lineEnd = /\r\n|\n|\r/g;
