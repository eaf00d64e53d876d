// A list of whole numbers in memory that is used again: new memory costs more than what is written to it.

/** Memory above this many numbers is not kept. */
const MOST_KEPT = 1 << 21;
const FIRST = 1024;
const none = new Int32Array(0);

export class Numbers {
  #held = new Int32Array(FIRST);
  length = 0;

  push(value: number): void {
    if (this.length === this.#held.length) {
      const larger = new Int32Array(4 * this.length);
      larger.set(this.#held);
      this.#held = larger;
    }
    this.#held[this.length++] = value;
  }

  append(values: Int32Array, count: number): void {
    const length = this.length + count;
    if (length > this.#held.length) {
      const larger = new Int32Array(2 * length);
      larger.set(this.#held.subarray(0, this.length));
      this.#held = larger;
    }
    this.#held.set(values.subarray(0, count), this.length);
    this.length = length;
  }

  clear(): void {
    this.length = 0;
    if (this.#held.length > MOST_KEPT) this.#held = new Int32Array(FIRST);
  }

  /** What may be kept. */
  copy(): Int32Array {
    return this.#held.slice(0, this.length);
  }

  /** INVARIANT: valid until the next `push` or `clear`. */
  view(): Int32Array {
    return this.length === 0 ? none : this.#held.subarray(0, this.length);
  }
}
