// Leaves out text and thinking that never came: an upstream may open a part and close it empty, and clients stumble over empty blocks.
import type { StreamStep } from './response.ts';

export class Pruner {
  readonly #held = new Map<number, StreamStep>();

  push(step: StreamStep): StreamStep[] {
    if (step.kind === 'open' && step.of.kind !== 'tool-call') {
      this.#held.set(step.part, step);
      return [];
    }
    if (step.kind === 'more' && step.text === '') return [];
    if (step.kind !== 'more' && step.kind !== 'sign' && step.kind !== 'close') return [step];
    const held = this.#held.get(step.part);
    if (!held) return [step];
    this.#held.delete(step.part);
    return step.kind === 'close' ? [] : [held, step];
  }
}
