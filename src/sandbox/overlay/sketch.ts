// Texts as sets of the hashes of their lines, and an index from a hash to the texts that have such a line. Plain arrays of numbers: there
// may be millions of lines. Two lines with one hash make a text no less like another.

/** Of each line, once: its hash, and how many bytes of the text are such lines. */
export interface Sketch {
  readonly hashes: Int32Array;
  readonly bytes: Int32Array;
}

export function sketchOf(content: Buffer): Sketch {
  const lines = linesIn(content);
  const slots = 2 ** Math.ceil(Math.log2(2 * lines));
  const [keys, sums] = [new Int32Array(slots), new Int32Array(slots)];
  const [hashes, bytes] = [new Int32Array(lines), new Int32Array(lines)];
  const used = new Int32Array(lines);
  let count = 0;
  const add = (hash: number, length: number): void => {
    let slot = spread(hash) & (slots - 1);
    while (sums[slot] !== 0 && keys[slot] !== hash) slot = (slot + 1) & (slots - 1);
    if (sums[slot] === 0) used[count++] = slot;
    keys[slot] = hash;
    sums[slot] = (sums[slot] as number) + length;
  };
  let hash = seed;
  let begin = 0;
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] as number;
    hash = Math.imul(hash ^ byte, 0x01000193);
    if (byte !== newline) continue;
    add(hash, at + 1 - begin);
    hash = seed;
    begin = at + 1;
  }
  if (begin < content.length) add(hash, content.length - begin);
  for (let i = 0; i < count; i++) {
    const slot = used[i] as number;
    hashes[i] = keys[slot] as number;
    bytes[i] = sums[slot] as number;
  }
  return { hashes: hashes.subarray(0, count), bytes: bytes.subarray(0, count) };
}

const newline = 0x0a;
const seed = 0x811c9dc5 | 0;
/** The lower bits of such a hash are not even. */
const spread = (hash: number): number => hash ^ (hash >>> 15);

function linesIn(content: Buffer): number {
  let lines = 1;
  for (let at = 0; at < content.length; at++) if (content[at] === newline) lines++;
  return lines;
}

const heads = 1 << 20;

export class SketchIndex {
  readonly #heads = new Int32Array(heads).fill(-1);
  /** Of each entry: the hash, which text, how many bytes of it, and the next entry. */
  #entries = new Int32Array(4 << 12);
  #end = 0;

  add(number: number, { hashes, bytes }: Sketch): void {
    while (this.#end + 4 * hashes.length > this.#entries.length) {
      const more = new Int32Array(this.#entries.length * 2);
      more.set(this.#entries);
      this.#entries = more;
    }
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i] as number;
      const head = spread(hash) & (heads - 1);
      this.#entries[this.#end] = hash;
      this.#entries[this.#end + 1] = number;
      this.#entries[this.#end + 2] = bytes[i] as number;
      this.#entries[this.#end + 3] = this.#heads[head] as number;
      this.#heads[head] = this.#end;
      this.#end += 4;
    }
  }

  /** @returns by the number of a text, how many bytes it has in common with this one, and the steps that are left; `undefined` when they do not suffice */
  common({ hashes, bytes }: Sketch, steps: number): { bytes: ReadonlyMap<number, number>; steps: number } | undefined {
    const common = new Map<number, number>();
    let left = steps;
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i] as number;
      let at = this.#heads[spread(hash) & (heads - 1)] as number;
      for (; at !== -1; at = this.#entries[at + 3] as number) {
        if (left-- <= 0) return undefined;
        if (this.#entries[at] !== hash) continue;
        const number = this.#entries[at + 1] as number;
        common.set(number, (common.get(number) ?? 0) + Math.min(bytes[i] as number, this.#entries[at + 2] as number));
      }
    }
    return { bytes: common, steps: left };
  }
}
