// What a program ships that a reader should know of: tables of strings that are stored so that nobody reads them, and the code that
// reads them back. Hints only: many programs hide strings for dull reasons, and what counts is what is sent.

export interface Hint {
  readonly kind: 'signature' | 'hidden-strings' | 'decoder';
  readonly says: string;
  /** A short quote of what was found, decoded; control characters are left for the printer to escape. */
  readonly evidence: string;
  readonly count: number;
}

/** A text that is known to occur in programs with a certain behaviour. */
export interface Signature {
  readonly text: string;
  readonly says: string;
}

/** What is held from one part to the next, so that nothing is cut in two; longer tables are found by their end. */
const overlap = 1 << 16;
const maxTables = 200;
/** Different characters in a table of strings. */
const leastCharacters = 8;

const base64Run = /[A-Za-z0-9+/]{64,}={0,2}/g;
/** `fromCharCode(x ^ key)` and the like: text that is put together from numbers under a key. */
const decoder =
  /fromCharCode\([^()\n]{0,80}(?:\([^()\n]{0,80}\)[^()\n]{0,40})?\^|\^\s?(?:0x[0-9a-f]{1,2}|\d{1,3})\)?[^;\n]{0,60}(?:fromCharCode|toString\(["'](?:utf-?8|latin1|ascii)|TextDecoder)/gi;

/** @param parts the bytes of the program, in order */
export async function shippedHints(parts: AsyncIterable<Uint8Array>, signatures: readonly Signature[]): Promise<Hint[]> {
  const tables = new Map<string, string>();
  const decoders = new Set<string>();
  const known = new Set<Signature>();
  const look = (text: string, isEnd: boolean): void => {
    for (const signature of signatures) if (text.includes(signature.text)) known.add(signature);
    for (const { 0: run, index } of text.matchAll(base64Run)) {
      // What runs on into the next part is seen whole with it.
      if (!isEnd && index + run.length === text.length && run.length < overlap) continue;
      const table = tables.size < maxTables && !tables.has(run) ? hiddenStrings(run) : undefined;
      if (table !== undefined) tables.set(run, table);
    }
    for (const [code] of text.matchAll(decoder)) if (decoders.size < maxTables) decoders.add(code);
  };
  let held = '';
  for await (const part of parts) {
    const text = held + Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1');
    look(text, false);
    held = text.slice(-overlap);
  }
  look(held, true);
  const hints: Hint[] = [...known].map(({ text, says }) => ({ kind: 'signature', says, evidence: text, count: 1 }));
  const [longest] = [...tables.values()].toSorted((a, b) => b.length - a.length);
  if (longest !== undefined) {
    const says = 'strings stored as base64 of bytes that are changed by one key (XOR), so that a search for them finds nothing';
    hints.push({ kind: 'hidden-strings', says, evidence: excerptOf(longest), count: tables.size });
  }
  const [code] = decoders;
  if (code !== undefined)
    hints.push({ kind: 'decoder', says: 'code that makes text of numbers under a key', evidence: excerptOf(code), count: decoders.size });
  return hints;
}

/** The text behind a run of base64, when one key turns all of its bytes into words and they are none without. */
function hiddenStrings(run: string): string | undefined {
  const bytes = Buffer.from(run, 'base64');
  const sample = bytes.subarray(0, 48);
  let best: { key: number; text: string; score: number } | undefined;
  for (let key = 0; key < 256; key += 1) {
    if (!isPlain(sample, key) || !isPlain(bytes, key)) continue;
    const text = Buffer.from(bytes.map((byte) => byte ^ key)).toString('latin1');
    if (new Set(text).size < leastCharacters || wordShare(text) <= 0.5) continue;
    // Several keys give letters; the right one gives those that words are made of.
    const score = (text.match(/[etaoinsr .,]/gi)?.length ?? 0) / text.length;
    if (score > (best?.score ?? 0.4)) best = { key, text, score };
  }
  return best?.key === 0 ? undefined : best?.text;
}

/** How much of a text are letters in groups of three and more. */
function wordShare(text: string): number {
  return (text.match(/[a-z]{3,}/gi)?.join('').length ?? 0) / Math.max(1, text.length);
}

function isPlain(bytes: Uint8Array, key: number): boolean {
  return bytes.every((byte) => {
    const char = byte ^ key;
    return (char >= 0x20 && char < 0x7f) || char === 0x0a || char === 0x09;
  });
}

function excerptOf(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
