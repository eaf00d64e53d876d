// How much of a text is in another one: a file that was renamed and then written to has no equal, but most of its lines are still there.
// Each file is read once and becomes a sketch; an agent chooses how many there are and what is in them, so that there is an end to it.
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type Sketch, SketchIndex, sketchOf } from './sketch.ts';

export interface Text {
  /** Names it in what is returned. */
  readonly path: string;
  /** Where it can be read. */
  readonly file: string;
  readonly bytes: number;
}

export interface Like {
  readonly path: string;
  /** False where it was too much to compare, or could not be read: it may be alike. */
  readonly isCompared: boolean;
}

/** How much is read, and how many lines are met on the way, before the rest is taken to be alike. */
export interface Budget {
  readonly bytes: number;
  readonly steps: number;
}

const enough: Budget = { bytes: 1 << 28, steps: 1 << 25 };
const maxBytes = 1 << 20;

/** Sizes with which two files can be alike; those of more than a megabyte are like none. */
const canBeAlike = (one: number, two: number): boolean =>
  Math.max(one, two) > 0 && Math.max(one, two) <= maxBytes && Math.min(one, two) * 2 >= Math.max(one, two);

/** @returns for each of `texts` one of the `others` that has at least half of the longer one of the two, by lines */
export function alike(texts: readonly Text[], others: readonly Text[], budget: Budget = enough): ReadonlyMap<string, Like> {
  const otherSizes = new Sizes(others);
  const wanted = texts.filter(({ bytes }) => otherSizes.near(bytes) !== undefined);
  const wantedSizes = new Sizes(wanted);
  const comparison = new Comparison(budget);
  const found = new Map<string, Like>();
  /** What may be like any other of its size. */
  const unread = wanted.filter((text) => !comparison.index(text));
  const uncompared = others.filter((other) => {
    if (wantedSizes.near(other.bytes) === undefined) return false;
    const like = comparison.likeOf(other);
    for (const text of like ?? []) if (!found.has(text.path)) found.set(text.path, { path: other.path, isCompared: true });
    return like === undefined;
  });
  const uncomparedSizes = new Sizes(uncompared);
  const may = (text: Text, sizes: Sizes): void => {
    const other = found.has(text.path) ? undefined : sizes.near(text.bytes);
    if (other) found.set(text.path, { path: other.path, isCompared: false });
  };
  for (const text of unread) may(text, otherSizes);
  for (const text of wanted) may(text, uncomparedSizes);
  return found;
}

/** Texts by size, to find one that is not much longer or shorter. */
class Sizes {
  readonly #sorted: readonly Text[];

  constructor(texts: readonly Text[]) {
    this.#sorted = texts.toSorted((a, b) => a.bytes - b.bytes);
  }

  near(bytes: number): Text | undefined {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle]?.bytes ?? 0) * 2 < bytes) low = middle + 1;
      else high = middle;
    }
    const other = this.#sorted[low];
    return other && canBeAlike(bytes, other.bytes) ? other : undefined;
  }
}

class Comparison {
  #bytesLeft: number;
  #stepsLeft: number;
  readonly #texts: Text[] = [];
  readonly #index = new SketchIndex();

  constructor({ bytes, steps }: Budget) {
    this.#bytesLeft = bytes;
    this.#stepsLeft = steps;
  }

  /** @returns false when it is not read */
  index(text: Text): boolean {
    const sketch = this.#sketchOf(text);
    if (sketch) this.#index.add(this.#texts.push(text) - 1, sketch);
    return sketch !== undefined;
  }

  /** @returns those of the index that are like it; `undefined` when it is not compared */
  likeOf(other: Text): Text[] | undefined {
    const sketch = this.#sketchOf(other);
    if (!sketch) return undefined;
    const common = this.#index.common(sketch, this.#stepsLeft);
    this.#stepsLeft = common?.steps ?? 0;
    return (
      common &&
      [...common.bytes].flatMap(([number, bytes]) => {
        const text = this.#texts[number];
        return text && bytes * 2 >= Math.max(text.bytes, other.bytes) && canBeAlike(text.bytes, other.bytes) ? [text] : [];
      })
    );
  }

  /** A line costs as much as its bytes, and a step. */
  #sketchOf({ file, bytes }: Text): Sketch | undefined {
    if (this.#stepsLeft <= 0 || this.#bytesLeft < bytes) return undefined;
    this.#bytesLeft -= bytes;
    const content = contentOf(file, bytes);
    const sketch = content && sketchOf(content);
    this.#stepsLeft -= sketch?.hashes.length ?? 0;
    return sketch;
  }
}

/** No more than was asked for, and nothing of what cannot be read or is shorter now. */
function contentOf(file: string, bytes: number): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const content = Buffer.allocUnsafe(bytes);
    return readSync(fd, content) === bytes ? content : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
