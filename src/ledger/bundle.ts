// The entry bundle that is not full yet, in one piece of memory: where an entry is written once, it is hashed, copied into the journal
// and published.
import { type Hash, prefixedLeafHash } from './merkle.ts';
import { maxEntryBytes } from './tile.ts';

const firstBytes = 1 << 14;

export class Bundle {
  #bytes: Buffer;
  #length = 0;
  #count = 0;

  /** @param bytes that it will need, as far as is known */
  constructor(bytes = firstBytes) {
    this.#bytes = Buffer.allocUnsafe(bytes);
  }

  /** How many entries it holds. */
  get count(): number {
    return this.#count;
  }

  /** Bytes, with the length before each entry. */
  get length(): number {
    return this.#length;
  }

  /** Adds an entry, its bytes or its text; returns its leaf hash. */
  add(entry: Uint8Array | string): Hash {
    // No unit of UTF-16 needs more than three bytes of UTF-8.
    this.#reserve(2 + (typeof entry === 'string' ? entry.length * 3 : entry.length));
    const bytes = this.#bytes;
    const start = this.#length + 2;
    const end = start + (typeof entry === 'string' ? bytes.write(entry, start, 'utf8') : copy(entry, bytes, start));
    if (end - start > maxEntryBytes) throw new RangeError('an entry is longer than 65,535 bytes');
    // What a leaf hash begins with stands in the place of the length until the entry is hashed, so that nothing is copied for it.
    bytes[start - 1] = 0;
    const leaf = prefixedLeafHash(bytes.subarray(start - 1, end));
    bytes.writeUInt16BE(end - start, start - 2);
    this.#length = end;
    this.#count += 1;
    return leaf;
  }

  /** The bytes from `from` on. INVARIANT: they stay what they are, whatever is added. */
  since(from: number): Buffer {
    return this.#bytes.subarray(from, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    // A new piece: the old one is what `since` gave away.
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function copy(from: Uint8Array, to: Uint8Array, at: number): number {
  to.set(from, at);
  return from.length;
}
