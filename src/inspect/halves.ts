// A large body of JSON that was not seen before is looked at by two threads at once, each with one half and what both share of the middle.
// INVARIANT: whatever cannot be told from halves is looked at as a whole: no place to cut, a half that was refused, strings that are not what
// they were presumed to be. So a payload is refused or clean for what it is, not for where it was cut.
import { type Cut, cutBefore, joinedTexts } from './cuts.ts';
import { readJson } from './decode/json.ts';
import type { Limits } from './limits.ts';
import type { Look } from './look.ts';
import type { Part, Workers } from './workers.ts';

/** Below this a second thread is not worth waking. */
const LEAST = 256 << 10;
/** What takes longer would make others wait for both threads. */
const MOST = 8 << 20;
/** What both look at: more than the farthest reach of a detector, and than words that are weighed together. */
const SHARED = 10 << 10;
/** How far around that a place is looked for, at first and at most. */
const NEAR = 2 << 10;
const AROUND = 24 << 10;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

interface Halves {
  /** The second begins here. */
  readonly start: Cut;
  /** The first ends here. */
  readonly stop: Cut;
}

/** `undefined` when it has to be looked at as a whole. */
export async function lookInHalves(
  bytes: Buffer,
  part: Part,
  limits: Limits,
  look: (bytes: Buffer, part: Part) => ReturnType<Workers['look']>,
): Promise<Look | undefined> {
  const halves = part.isJson && !part.isInside && bytes.length >= LEAST && bytes.length <= MOST ? halvesOf(bytes) : undefined;
  if (!halves) return undefined;
  const { start, stop } = halves;
  const [first, second] = await Promise.all([
    look(bytes.subarray(0, stop.at), { ...part, isHalf: true }),
    look(bytes.subarray(start.at), { ...part, isHalf: true, offset: part.offset + start.at, isInside: start.isInside }),
  ]);
  if (first.found.refused || second.found.refused || !isAsPresumed(first, halves)) return undefined;
  const found = {
    secrets: [...first.found.secrets, ...second.found.secrets],
    source: [...first.found.source, ...second.found.source],
    traces: [...first.found.traces, ...second.found.traces],
    isOpaque: (first.found.isOpaque ?? false) || (second.found.isOpaque ?? false),
  };
  if (found.secrets.length + found.source.length > limits.maxFindings) return undefined;
  const [replaced, fresh] = [stop.at, bytes.length].map((end) => ({ start: start.at, end }));
  if (!first.texts || !second.texts || !replaced || !fresh) return undefined;
  return { found, texts: joinedTexts(first.texts, replaced, second.texts, fresh, start.isInside), isClosed: second.isClosed };
}

/** Half of everything, so that both together do no more than one look may. */
export function halfOf(limits: Limits): Limits {
  const { maxViewBytes, maxViews, maxMs } = limits;
  return { ...limits, maxViewBytes: maxViewBytes >> 1, maxViews: maxViews >> 1, maxMs: maxMs / 2 };
}

/** Where strings begin and end is presumed from what stands around the middle; the first half tells whether it is so. */
function halvesOf(bytes: Buffer): Halves | undefined {
  const middle = bytes.length >> 1;
  let from = middle - AROUND;
  while (from > 0 && bytes[from - 1] === BACKSLASH) from -= 1;
  const around = bytes.subarray(from, middle + SHARED + AROUND);
  const texts = readJson(around, beginsInside(around)).spans.map((position) => position + from);
  const start = cutBefore(bytes, texts, middle - SHARED / 2);
  if (!start) return undefined;
  // Every kilobyte that both look at is one too many.
  for (const more of [NEAR, 4 * NEAR, AROUND]) {
    const stop = cutBefore(bytes, texts, start.at + SHARED + more);
    if (stop && stop.at - start.at >= SHARED) return { start, stop };
  }
  return undefined;
}

/** The first quote that is not escaped closes a string, or there is none. */
function beginsInside(bytes: Buffer): boolean {
  let at = bytes.indexOf(QUOTE);
  while (at !== -1 && isEscaped(bytes, at)) at = bytes.indexOf(QUOTE, at + 1);
  if (at === -1) return true;
  let next = at + 1;
  while ((bytes[next] ?? 0) <= 0x20 && next < bytes.length) next += 1;
  return bytes[next] === 0x2c || bytes[next] === 0x3a || bytes[next] === 0x5d || bytes[next] === 0x7d;
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let slashes = at;
  while (slashes > 0 && bytes[slashes - 1] === BACKSLASH) slashes -= 1;
  return (at - slashes) % 2 === 1;
}

function isAsPresumed({ texts, isClosed }: Look, { start, stop }: Halves): boolean {
  if (!texts || isClosed === stop.isInside) return false;
  for (let i = 0; i < texts.length; i += 2) {
    const [begin = 0, end = 0] = texts.subarray(i, i + 2);
    if (start.isInside ? begin < start.at && start.at < end : end === start.at - 1) return true;
  }
  return false;
}
