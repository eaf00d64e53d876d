// Takes a streamed JSON array apart: how Gemini answers `streamGenerateContent` without `alt=sse`. Elements come out as text as
// soon as they are complete, however the bytes are split.
import { StringDecoder } from 'node:string_decoder';
import { IntramurError } from '../core/index.ts';
import { maxEvent, type StreamEvent } from './sse.ts';

export class JsonArrayDecoder {
  readonly #decoder = new StringDecoder('utf8');
  #pieces: string[] = [];
  #size = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** True once the outermost array was closed. */
  isClosed = false;

  push(chunk: Uint8Array): StreamEvent[] {
    const text = this.#decoder.write(chunk);
    const events: StreamEvent[] = [];
    let start = this.#depth > 1 ? 0 : -1;
    for (let at = 0; at < text.length; at++) {
      const char = text[at];
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (char === '\\') this.#isEscaped = true;
        else if (char === '"') this.#isInString = false;
      } else if (char === '"') this.#isInString = true;
      else if (char === '{' || char === '[') {
        this.#depth++;
        if (this.#depth === 2 || (this.#depth === 1 && char === '{')) {
          // A lone object instead of an array is an error body; treat it as an element.
          if (this.#depth === 1) this.#depth = 2;
          start = at;
        }
      } else if (char === '}' || char === ']') {
        this.#depth--;
        if (this.#depth === 1 && start >= 0) {
          this.#pieces.push(text.slice(start, at + 1));
          events.push({ name: '', data: this.#pieces.join('') });
          this.#pieces = [];
          this.#size = 0;
          start = -1;
        }
        if (this.#depth <= 0) this.isClosed = true;
      }
    }
    if (start >= 0) this.#keep(text.slice(start));
    return events;
  }

  #keep(piece: string): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size > maxEvent) throw new IntramurError('UPSTREAM_PROTOCOL', 'the upstream sent an event that is too long');
  }
}
