// Puts the parts of a stream in a row. OpenAI interleaves the fragments of parallel tool calls; Anthropic allows one open block at
// a time. The first open part streams on; what belongs to later ones waits until it closes.
import type { StreamStep } from './response.ts';

export class Sequencer {
  #current: number | undefined;
  /** Steps of parts that wait, in the order of their opening. */
  readonly #waiting = new Map<number, StreamStep[]>();

  push(step: StreamStep): StreamStep[] {
    switch (step.kind) {
      case 'open':
        if (this.#current === undefined) {
          this.#current = step.part;
          return [step];
        }
        this.#waiting.set(step.part, [step]);
        return [];
      case 'more':
      case 'sign':
        if (step.part === this.#current) return [step];
        this.#waiting.get(step.part)?.push(step);
        return [];
      case 'close': {
        if (step.part !== this.#current) {
          this.#waiting.get(step.part)?.push(step);
          return [];
        }
        this.#current = undefined;
        return [step, ...this.#next()];
      }
      case 'end':
        return [...this.#closeAll(), step];
      default:
        return [step];
    }
  }

  /** An upstream may end without having closed its parts. */
  #closeAll(): StreamStep[] {
    const out: StreamStep[] = [];
    while (this.#current !== undefined) out.push(...this.push({ kind: 'close', part: this.#current }));
    return out;
  }

  /** Lets the longest waiting part go on, and those after it that are already closed. */
  #next(): StreamStep[] {
    const out: StreamStep[] = [];
    for (const [part, steps] of this.#waiting) {
      this.#waiting.delete(part);
      for (const step of steps) out.push(step);
      if (steps.at(-1)?.kind !== 'close') {
        this.#current = part;
        break;
      }
    }
    return out;
  }
}
