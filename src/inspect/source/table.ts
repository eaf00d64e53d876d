// Which document a key belongs to: open addressing in two flat arrays behind a one-word Bloom filter, all in one SharedArrayBuffer,
// so that every worker reads the same memory. A key is 32 bits in the slot plus its place in the table.
import type { Keys } from './keyer.ts';

const LOAD = 0.85;
/** The filter has a power of two of words, and at least so many bits for each key. */
const BLOOM_BITS_PER_KEY = 8;
const HEADER_WORDS = 4;
const MAGIC = 0x32544649;

export interface Table {
  readonly memory: SharedArrayBuffer;
  readonly entries: number;
  /** One word picked by the high bits of a key's `high`; a key that is there has all of its bits set. */
  readonly bloom: Int32Array;
  /** How far to shift `high` to the right to have its word. */
  readonly bloomShift: number;
  /** Document number of a key, from 1; 0 for a key that is not there. */
  find(high: number, low: number): number;
  /** Those of the first `count` keys that the filter let pass: far quicker than one by one, because the processor fetches many at a time. */
  findAll(high: Int32Array, low: Int32Array, count: number, documents: Int32Array): void;
}

function bloomLog2(keys: number): number {
  return Math.max(1, Math.ceil(Math.log2(Math.max(1, (keys * BLOOM_BITS_PER_KEY) / 32))));
}

/**
 * Builds a table. A key that comes again keeps the first document unless `prefer` says that the later one counts more.
 */
export function buildTable(
  parts: Iterable<{ readonly keys: Keys; readonly document: number }>,
  total: number,
  prefer: (held: number, later: number) => boolean,
): Table {
  const slots = Math.max(8, Math.ceil(total / LOAD));
  const log2 = bloomLog2(total);
  const bloomWords = 2 ** log2;
  const memory = new SharedArrayBuffer(4 * (HEADER_WORDS + bloomWords + 2 * slots));
  const { header, bloom, lows, documents } = partsOf(memory, bloomWords, slots);
  let entries = 0;
  for (const { keys, document } of parts) {
    for (let i = 0; i < keys.low.length; i++) {
      const high = keys.high[i] ?? 0;
      const low = (keys.low[i] ?? 0) | 0;
      const word = high >>> (32 - log2);
      bloom[word] = (bloom[word] ?? 0) | bloomBits(high);
      let slot = slotOf(high, slots);
      let held = documents[slot] ?? 0;
      while (held !== 0 && lows[slot] !== low) {
        slot = slot + 1 === slots ? 0 : slot + 1;
        held = documents[slot] ?? 0;
      }
      if (held === 0) {
        entries += 1;
        lows[slot] = low;
        documents[slot] = document;
      } else if (held !== document && prefer(held, document)) documents[slot] = document;
    }
  }
  header.set([MAGIC, slots, log2, entries]);
  return openTable(memory);
}

function partsOf(memory: SharedArrayBuffer, bloomWords: number, slots: number) {
  return {
    header: new Uint32Array(memory, 0, HEADER_WORDS),
    bloom: new Int32Array(memory, 4 * HEADER_WORDS, bloomWords),
    lows: new Int32Array(memory, 4 * (HEADER_WORDS + bloomWords), slots),
    documents: new Int32Array(memory, 4 * (HEADER_WORDS + bloomWords + slots), slots),
  };
}

/** Throws a TypeError for memory that is no table. */
export function openTable(memory: SharedArrayBuffer): Table {
  const [magic = 0, slots = 0, log2 = 0, entries = 0] =
    memory.byteLength < 4 * HEADER_WORDS ? [] : new Uint32Array(memory, 0, HEADER_WORDS);
  const isWhole = log2 >= 1 && log2 < 31 && memory.byteLength === 4 * (HEADER_WORDS + 2 ** log2 + 2 * slots);
  if (magic !== MAGIC || !isWhole || entries >= slots) throw new TypeError('this is not a table of fingerprints');
  const bloomShift = 32 - log2;
  const { bloom, lows, documents } = partsOf(memory, 2 ** log2, slots);
  const from = (start: number, low: number): number => {
    let slot = start;
    while (documents[slot] !== 0 && lows[slot] !== low) slot = slot + 1 === slots ? 0 : slot + 1;
    return documents[slot] ?? 0;
  };
  return {
    memory,
    entries,
    bloom,
    bloomShift,
    find(high, low) {
      const bits = bloomBits(high);
      if (((bloom[high >>> bloomShift] ?? 0) & bits) !== bits) return 0;
      return from(slotOf(high, slots), low | 0);
    },
    findAll(high, low, count, found) {
      const held = new Int32Array(count);
      // Nothing waits for anything here, so that many places of the table are fetched at a time.
      for (let i = 0; i < count; i++) {
        const slot = slotOf((high[i] ?? 0) >>> 0, slots);
        held[i] = lows[slot] ?? 0;
        found[i] = documents[slot] ?? 0;
      }
      for (let i = 0; i < count; i++) {
        if (found[i] !== 0 && held[i] !== low[i]) found[i] = from(slotOf((high[i] ?? 0) >>> 0, slots), low[i] ?? 0);
      }
    },
  };
}

/** Spreads 32 bits over any number of slots without a division. */
function slotOf(high: number, slots: number): number {
  return Math.floor((high * slots) / 0x1_0000_0000);
}

/** Three bits of one word, from all of the key: the bits that pick the word say little about them. */
export function bloomBits(high: number): number {
  const spread = Math.imul(high, 0x9e3779b1 | 0);
  return (1 << (spread >>> 27)) | (1 << ((spread >>> 22) & 31)) | (1 << ((spread >>> 17) & 31));
}
