// Aho and Corasick, "Efficient string matching" (CACM 18/6, 1975), as one dense table over byte classes: all keywords are found
// in one pass whose work per byte is one table look-up, whatever the text holds. It is entered only where four bytes may begin a
// keyword; those places are collected first, in a loop that calls nothing and waits for nothing.
/** Where a keyword was found: `keyword` is its position in the list that the matcher was made from. */
type OnHit = (keyword: number, start: number, end: number) => void;

export interface KeywordMatcher {
  /** Calls back for every occurrence, overlapping ones too; for one shorter than a gram perhaps twice. */
  scan(bytes: Uint8Array, onHit: OnHit): void;
}

/**
 * @param keywords byte strings (one character per byte), none empty
 * @param options `ignoreCase` folds A-Z in the text; the keywords must then be lower case
 */
export function keywordMatcher(keywords: readonly string[], options: { readonly ignoreCase: boolean }): KeywordMatcher {
  const { classOf, classCount } = byteClasses(keywords, options.ignoreCase);
  const trie = growTrie(keywords, classOf, classCount);
  const { next, found } = closeFailures(trie, classCount);
  const lengths = keywords.map((keyword) => keyword.length);
  const begins = beginnings(keywords);
  const shallow = shallowRows(trie.depths, classCount);

  /** Goes on at least to `until`, and as long as a keyword may have begun; says where it stopped. */
  const walk = (bytes: Uint8Array, from: number, until: number, onHit: OnHit): number => {
    let row = 0;
    let at = from;
    // A state shallower than a gram has not begun anything that the grams will not see.
    while (at < bytes.length && (at < until || shallow[row] === 0)) {
      row = next[row + (classOf[bytes[at] ?? 0] ?? 0)] ?? 0;
      at += 1;
      if (row >= 0) continue;
      row = ~row;
      for (const keyword of found.get(row) ?? []) onHit(keyword, at - (lengths[keyword] ?? 0), at);
    }
    return at;
  };

  return {
    scan(bytes, onHit) {
      const { length } = bytes;
      let read = 0;
      for (let start = GRAM - 1; start < length; start += PART) {
        const count = collect(bytes, start, Math.min(length, start + PART), begins);
        for (let i = 0; i < count; i++) {
          const last = places[i] ?? 0;
          if (last >= read) read = walk(bytes, last - GRAM + 1, last + 1, onHit);
        }
      }
      // The end of the text is too short for a gram, not for a keyword.
      walk(bytes, Math.max(0, length - GRAM + 1), length, onHit);
    },
  };
}

const GRAM = 4;
/** The low bits of a byte, which are the same for both cases of a letter. */
const CODE_BITS = 5;
const CODE_MASK = (1 << CODE_BITS) - 1;
const THREE_MASK = (1 << (3 * CODE_BITS)) - 1;
/** What three bytes may be of a keyword: its first three, its second to fourth. */
const FIRST = 1;
const SECOND = 2;
const PART = 1 << 15;
const places = new Int32Array(PART);

/** Where a gram ends that begins a keyword, between `start` and `end`. INVARIANT: no call and no branch in the loop. */
function collect(bytes: Uint8Array, start: number, end: number, begins: Uint8Array): number {
  let three = 0;
  for (let i = start - GRAM + 1; i < start; i++) three = (three << CODE_BITS) | ((bytes[i] ?? 0) & CODE_MASK);
  let before = (begins[three] ?? 0) & FIRST;
  let count = 0;
  for (let i = start; i < end; i++) {
    three = ((three << CODE_BITS) | ((bytes[i] ?? 0) & CODE_MASK)) & THREE_MASK;
    const here = begins[three] ?? 0;
    places[count] = i;
    count += before & (here >> 1);
    before = here & FIRST;
  }
  return count;
}

/** By three bytes: FIRST and SECOND. Two tables that fit the fastest cache tell nearly as much as one of all grams, which does not. */
function beginnings(keywords: readonly string[]): Uint8Array {
  const begins = new Uint8Array(THREE_MASK + 1);
  const anything = Array.from({ length: 1 << CODE_BITS }, (_, code) => code);
  const mark = (keyword: string, from: number, what: number) => {
    let threes = [0];
    for (let i = from; i < from + 3; i++) {
      // Behind the end of a short keyword stands anything.
      const codesHere = i < keyword.length ? [keyword.charCodeAt(i) & CODE_MASK] : anything;
      threes = threes.flatMap((three) => codesHere.map((code) => (three << CODE_BITS) | code));
    }
    for (const three of threes) begins[three] = (begins[three] ?? 0) | what;
  };
  for (const keyword of keywords) {
    mark(keyword, 0, FIRST);
    mark(keyword, 1, SECOND);
  }
  return begins;
}

function shallowRows(depths: readonly number[], classCount: number): Uint8Array {
  const shallow = new Uint8Array(depths.length * classCount);
  depths.forEach((depth, state) => {
    if (depth < GRAM) shallow[state * classCount] = 1;
  });
  return shallow;
}

/** Class 0 is every byte that no keyword holds. */
function byteClasses(keywords: readonly string[], ignoreCase: boolean): { classOf: Uint8Array; classCount: number } {
  const classOf = new Uint8Array(256);
  let classCount = 1;
  for (const keyword of keywords) {
    for (let i = 0; i < keyword.length; i++) {
      const byte = keyword.charCodeAt(i);
      if (classOf[byte] === 0 && classCount < 256) classOf[byte] = classCount++;
    }
  }
  if (ignoreCase) for (let upper = 0x41; upper <= 0x5a; upper++) classOf[upper] = classOf[upper + 0x20] ?? 0;
  return { classOf, classCount };
}

interface Trie {
  /** State by state, one cell a class; 0: no such edge. */
  readonly edges: number[];
  /** Keywords that end in a state. */
  readonly ends: Map<number, number[]>;
  /** Bytes that lead to a state. */
  readonly depths: readonly number[];
}

function growTrie(keywords: readonly string[], classOf: Uint8Array, classCount: number): Trie {
  const edges: number[] = new Array<number>(classCount).fill(0);
  const ends = new Map<number, number[]>();
  const depths = [0];
  keywords.forEach((keyword, index) => {
    let state = 0;
    for (let i = 0; i < keyword.length; i++) {
      const cell = state * classCount + (classOf[keyword.charCodeAt(i)] ?? 0);
      let target = edges[cell] ?? 0;
      if (target === 0) {
        target = edges.length / classCount;
        edges[cell] = target;
        for (let c = 0; c < classCount; c++) edges.push(0);
        depths.push(i + 1);
      }
      state = target;
    }
    ends.set(state, [...(ends.get(state) ?? []), index]);
  });
  return { edges, ends, depths };
}

/** Turns failure links into edges, so that scanning never walks back. An edge into an accepting state is stored as `~row`. */
function closeFailures({ edges, ends }: Trie, classCount: number): { next: Int32Array; found: Map<number, readonly number[]> } {
  const fail = new Int32Array(edges.length / classCount);
  const queue: number[] = [];
  for (let c = 0; c < classCount; c++) {
    const state = edges[c] ?? 0;
    if (state !== 0) queue.push(state);
  }
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head] ?? 0;
    const back = fail[state] ?? 0;
    const inherited = ends.get(back);
    if (inherited) ends.set(state, [...(ends.get(state) ?? []), ...inherited]);
    for (let c = 0; c < classCount; c++) {
      const cell = state * classCount + c;
      const viaBack = edges[back * classCount + c] ?? 0;
      const target = edges[cell] ?? 0;
      if (target === 0) edges[cell] = viaBack;
      else {
        fail[target] = viaBack;
        queue.push(target);
      }
    }
  }
  const next = Int32Array.from(edges, (state) => (ends.has(state) ? ~(state * classCount) : state * classCount));
  const found = new Map<number, readonly number[]>();
  for (const [state, keywords] of ends) found.set(state * classCount, keywords);
  return { next, found };
}
