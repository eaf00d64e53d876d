// Aho and Corasick, "Efficient string matching" (CACM 18/6, 1975), as one dense table over byte classes: all keywords are found
// in one pass whose work per byte is one table look-up, whatever the text holds.

/** Where a keyword was found: `keyword` is its position in the list that the matcher was made from. */
type OnHit = (keyword: number, start: number, end: number) => void;

export interface KeywordMatcher {
  /** Calls back for every occurrence, overlapping ones too, in order of their ends. */
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
  return {
    scan(bytes, onHit) {
      let row = 0;
      for (let i = 0; i < bytes.length; i++) {
        row = next[row + (classOf[bytes[i] ?? 0] ?? 0)] ?? 0;
        if (row >= 0) continue;
        row = ~row;
        for (const keyword of found.get(row) ?? []) onHit(keyword, i + 1 - (lengths[keyword] ?? 0), i + 1);
      }
    },
  };
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
}

function growTrie(keywords: readonly string[], classOf: Uint8Array, classCount: number): Trie {
  const edges: number[] = new Array<number>(classCount).fill(0);
  const ends = new Map<number, number[]>();
  keywords.forEach((keyword, index) => {
    let state = 0;
    for (let i = 0; i < keyword.length; i++) {
      const cell = state * classCount + (classOf[keyword.charCodeAt(i)] ?? 0);
      let target = edges[cell] ?? 0;
      if (target === 0) {
        target = edges.length / classCount;
        edges[cell] = target;
        for (let c = 0; c < classCount; c++) edges.push(0);
      }
      state = target;
    }
    ends.set(state, [...(ends.get(state) ?? []), index]);
  });
  return { edges, ends };
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
