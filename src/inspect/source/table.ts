// Which document a key belongs to: open addressing in two flat arrays behind a one-word Bloom filter, all in one SharedArrayBuffer,
// so that every worker reads the same memory. A key is 32 bits in the slot plus its place in the table.
import type { Keys } from './keyer.ts';

const LOAD = 0.85;
const BLOOM_BITS_PER_KEY = 12;
const HEADER_WORDS = 4;
const MAGIC = 0x31544649;

export interface Table {
  readonly memory: SharedArrayBuffer;
  readonly entries: number;
  /** Document number of a key, from 1; 0 for a key that is not there. */
  find(high: number, low: number): number;
  /** As `find` for the first `count` of `keys`. Calls back for those that are there. */
  findAll(keys: Keys, count: number, onHit: (index: number, document: number) => void): void;
}

interface Layout {
  readonly slots: number;
  readonly bloomWords: number;
}

function layoutFor(keys: number): Layout {
  const slots = Math.max(8, Math.ceil(keys / LOAD));
  return { slots, bloomWords: Math.max(2, Math.ceil((keys * BLOOM_BITS_PER_KEY) / 32)) };
}

/**
 * Builds a table. A key that comes again keeps the first document unless `prefer` says that the later one counts more.
 */
export function buildTable(
  parts: Iterable<{ readonly keys: Keys; readonly document: number }>,
  total: number,
  prefer: (held: number, later: number) => boolean,
): Table {
  const { slots, bloomWords } = layoutFor(total);
  const memory = new SharedArrayBuffer(4 * (HEADER_WORDS + bloomWords + 2 * slots));
  const header = new Uint32Array(memory, 0, HEADER_WORDS);
  const bloom = new Uint32Array(memory, 4 * HEADER_WORDS, bloomWords);
  const lows = new Uint32Array(memory, 4 * (HEADER_WORDS + bloomWords), slots);
  const documents = new Uint32Array(memory, 4 * (HEADER_WORDS + bloomWords + slots), slots);
  let entries = 0;
  for (const { keys, document } of parts) {
    for (let i = 0; i < keys.low.length; i++) {
      const high = keys.high[i] ?? 0;
      const low = keys.low[i] ?? 0;
      const word = slotOf(high, bloomWords);
      bloom[word] = (bloom[word] ?? 0) | bloomBits(low);
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
  header.set([MAGIC, slots, bloomWords, entries]);
  return openTable(memory);
}

/** Throws a TypeError for memory that is no table. */
export function openTable(memory: SharedArrayBuffer): Table {
  const header = new Uint32Array(memory, 0, HEADER_WORDS);
  const [magic = 0, slots = 0, bloomWords = 0, entries = 0] = header;
  if (magic !== MAGIC || memory.byteLength !== 4 * (HEADER_WORDS + bloomWords + 2 * slots) || entries >= slots) {
    throw new TypeError('this is not a table of fingerprints');
  }
  const bloom = new Uint32Array(memory, 4 * HEADER_WORDS, bloomWords);
  const lows = new Uint32Array(memory, 4 * (HEADER_WORDS + bloomWords), slots);
  const documents = new Uint32Array(memory, 4 * (HEADER_WORDS + bloomWords + slots), slots);

  const find = (high: number, low: number): number => {
    const bits = bloomBits(low);
    if (((bloom[slotOf(high, bloomWords)] ?? 0) & bits) !== bits) return 0;
    let slot = slotOf(high, slots);
    for (let document = documents[slot] ?? 0; document !== 0; document = documents[slot] ?? 0) {
      if (lows[slot] === low) return document;
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
    return 0;
  };

  return {
    memory,
    entries,
    find,
    findAll(keys, count, onHit) {
      for (let i = 0; i < count; i++) {
        const document = find(keys.high[i] ?? 0, keys.low[i] ?? 0);
        if (document !== 0) onHit(i, document);
      }
    },
  };
}

/** Spreads 32 bits over any number of slots without a division. */
function slotOf(high: number, slots: number): number {
  return Math.floor((high * slots) / 0x1_0000_0000);
}

/** Three bits of one word. */
function bloomBits(low: number): number {
  return (1 << (low & 31)) | (1 << ((low >>> 5) & 31)) | (1 << ((low >>> 10) & 31));
}
