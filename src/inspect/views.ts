// All ways to read a payload: the bytes as they are, and what the decoders in decode/ make of them, again and again until nothing
// is encoded any more or a limit is reached.
import { IntramurError } from '../core/index.ts';
import { charCodes } from './decode/char-codes.ts';
import type { Decoder } from './decode/decoder.ts';
import type { JsonReading } from './decode/json.ts';
import { isBinary, isDocument } from './decode/readable.ts';
import { binaryDecoders, rewritings, textDecoders } from './decode/registry.ts';
import { rewritten } from './decode/rewrite.ts';
import { noSurvey, type Survey, survey } from './decode/survey.ts';
import { type Budget, exceeded } from './limits.ts';
import { mappedView, type View } from './view.ts';

/** Backslashes double with every level of quoting, so this many levels would be thousands of backslashes. */
const MAX_ESCAPE_LEVELS = 10;

export interface Reading {
  readonly view: View;
  /** JSON is read twice: as a whole for what fields hold, and as its texts joined for what they say together. */
  readonly of: 'all' | 'fields' | 'texts';
}

/**
 * Yields the payload itself, then every decoded view of it, outermost first.
 * Throws INSPECT_LIMIT when there is more than the budget allows to look at, INSPECT_FAILED when it breaks off.
 * @param json what was read of the payload when it is JSON
 */
export function* viewsOf(root: View, budget: Budget, json?: JsonReading): Generator<Reading> {
  budget.chargeView(root.bytes.length);
  const queue: Queue = { views: [], tooDeep: undefined };
  if (json) {
    const { fields, texts } = jsonViews(root, json, budget);
    yield { view: fields, of: 'fields' };
    yield { view: texts, of: 'texts' };
    for (const view of charCodes.decode(fields, budget, { ...noSurvey, numbers: json.numbers }))
      queue.views.push({ view, of: 'all', escapeLevel: 0 });
    enqueueDecoded({ view: texts, of: 'texts', escapeLevel: 1 }, queue, budget);
    // What it says outside of its strings is in neither.
    if (json.isOdd) queue.views.push({ view: root, of: 'all', escapeLevel: 0 });
  } else {
    queue.views.push({ view: root, of: 'all', escapeLevel: 0 });
  }
  for (let next = queue.views.shift(); next; next = queue.views.shift()) {
    yield next;
    enqueueDecoded(next, queue, budget);
  }
  // Only now: what can be looked at is looked at first, so that a refusal still says what it found.
  if (queue.tooDeep !== undefined) throw exceeded(queue.tooDeep);
  if (budget.broken !== undefined) throw new IntramurError('INSPECT_FAILED', budget.broken);
}

interface Queued extends Reading {
  readonly escapeLevel: number;
}

interface Queue {
  readonly views: Queued[];
  tooDeep: string | undefined;
}

function jsonViews(root: View, json: JsonReading, budget: Budget): { fields: View; texts: View } {
  budget.chargeView(json.fields.length);
  budget.chargeView(json.texts.length);
  const decodersIn = (start: number, end: number) => {
    const backslash = root.bytes.indexOf(BACKSLASH, start);
    return backslash !== -1 && backslash < end ? ['json'] : [];
  };
  const fields = mappedView(root, decodersIn, json.fields, json.fieldShifts, root.depth);
  return { fields, texts: mappedView(fields, () => [], json.texts, json.textShifts, root.depth) };
}

const BACKSLASH = 0x5c;
/** Shorter ones are digests and keys, which code is full of. */
const LEAST_OPAQUE = 256;
/** Texts about encodings hold escapes of all kinds inside one another by chance, so those count as half a level. */
const HALF = 0.5;
/** Reading what is joined or looks like another letter is no level at all. */
const plain: ReadonlySet<string> = new Set(['escapes', 'concatenation', 'terminal', 'unicode-fold']);

function isIdle({ needs }: Decoder, places: Survey): boolean {
  if (needs === undefined) return false;
  for (const list of needs) if (places[list].length > 0) return false;
  return true;
}

const allDecoders: readonly Decoder[] = [...binaryDecoders, ...textDecoders];

function enqueueDecoded({ view, of, escapeLevel }: Queued, queue: Queue, budget: Budget): void {
  budget.checkTime();
  const { maxDepth } = budget.limits;
  const hasText = !isBinary(view.bytes);
  const surveyed = survey(view.bytes, budget);
  // What is no text has runs at most.
  const places = hasText ? surveyed : { ...noSurvey, base64: surveyed.base64, hex: surveyed.hex };
  const depthOf = (kinds: ReadonlySet<string>) => view.depth + ([...kinds].every((kind) => plain.has(kind)) ? 0 : HALF);
  for (const read of rewritten(view, places.pieces, rewritings, depthOf, budget)) {
    const level = read.kinds.has('escapes') ? escapeLevel + 1 : escapeLevel;
    if (level > MAX_ESCAPE_LEVELS) queue.tooDeep = 'escapes are nested too deep';
    else if (read.view.depth > maxDepth) queue.tooDeep = `encodings are nested more than ${maxDepth} deep`;
    else queue.views.push({ view: read.view, of: read.isPlain ? 'fields' : 'all', escapeLevel: level });
  }
  // Quoting that was taken off reveals fields of secrets; what else it holds was decoded where it stood.
  if (of === 'fields') return;
  const decoders = hasText ? allDecoders : binaryDecoders;
  // A document is a container that nothing here opens, though it begins and ends with text.
  let isOpaque = isDocument(view.bytes) || (!hasText && view.bytes.length >= LEAST_OPAQUE && !view.isRewritten);
  for (const decoder of decoders) {
    if (isIdle(decoder, places)) continue;
    budget.checkTime();
    for (const decoded of decoder.decode(view, budget, places)) {
      if (!hasText && 'readsAll' in decoder) isOpaque = false;
      if (decoded.depth <= maxDepth) queue.views.push({ view: decoded, of: 'all', escapeLevel: 0 });
      else queue.tooDeep = `encodings are nested more than ${maxDepth} deep`;
    }
  }
  if (isOpaque) budget.noteOpaque();
}
