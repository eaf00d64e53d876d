// Gathers parts into turns: dialects differ in how many messages one turn takes.
import type { Part, Turn } from './request.ts';

export class Turns {
  readonly #turns: { role: Turn['role']; parts: Part[] }[] = [];

  /** Adds to the current turn when the role is the same. Instructions in mid-conversation stay apart. */
  add(role: Turn['role'], parts: readonly Part[]): void {
    if (parts.length === 0) return;
    const last = this.#turns.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else this.#turns.push({ role, parts: [...parts] });
  }

  get list(): readonly Turn[] {
    return this.#turns;
  }

  get isEmpty(): boolean {
    return this.#turns.length === 0;
  }
}
