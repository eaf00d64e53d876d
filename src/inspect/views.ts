// All ways to read a payload: the bytes as they are, and what the decoders in decode/ make of them, again and again until nothing
// is encoded any more or a limit is reached.

import { charCodes } from './decode/char-codes.ts';
import { unescape } from './decode/escapes.ts';
import { jsonTexts } from './decode/json.ts';
import { isBinary } from './decode/readable.ts';
import { binaryDecoders, rewritings, textDecoders } from './decode/registry.ts';
import { rewritten } from './decode/rewrite.ts';
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
 * Throws INSPECT_LIMIT when there is more than the budget allows to look at.
 */
export function* viewsOf(root: View, budget: Budget, { isJson }: { readonly isJson: boolean }): Generator<Reading> {
  budget.chargeView(root.bytes.length);
  const queue: Queue = { views: [], tooDeep: undefined };
  if (isJson) {
    const fields = jsonView(root, [{ start: 0, end: root.bytes.length }], budget);
    const texts = jsonView(root, jsonTexts(root.bytes).texts, budget);
    yield { view: fields, of: 'fields' };
    yield { view: texts, of: 'texts' };
    for (const view of charCodes.decode(fields, budget)) queue.views.push({ view, escapeLevel: 0 });
    enqueueDecoded(texts, 1, queue, budget);
  } else {
    queue.views.push({ view: root, escapeLevel: 0 });
  }
  for (let next = queue.views.shift(); next; next = queue.views.shift()) {
    yield { view: next.view, of: 'all' };
    enqueueDecoded(next.view, next.escapeLevel, queue, budget);
  }
  // Only now: what can be looked at is looked at first, so that a refusal still says what it found.
  if (queue.tooDeep !== undefined) throw exceeded(queue.tooDeep);
}

interface Queue {
  readonly views: { readonly view: View; readonly escapeLevel: number }[];
  tooDeep: string | undefined;
}

function jsonView(root: View, ranges: Parameters<typeof unescape>[1], budget: Budget): View {
  const { bytes, shifts } = unescape(root.bytes, ranges);
  budget.chargeView(bytes.length);
  const decodersIn = (start: number, end: number) => {
    const backslash = root.bytes.indexOf(BACKSLASH, start);
    return backslash !== -1 && backslash < end ? ['json'] : [];
  };
  return mappedView(root, decodersIn, bytes, shifts, root.depth);
}

const BACKSLASH = 0x5c;
/** Texts about encodings hold escapes of all kinds inside one another by chance, so those count as half a level. */
const HALF = 0.5;
/** Reading what is joined or looks like another letter is no level at all. */
const plain: ReadonlySet<string> = new Set(['escapes', 'concatenation', 'unicode-fold']);

function enqueueDecoded(view: View, escapeLevel: number, queue: Queue, budget: Budget): void {
  budget.checkTime();
  const { maxDepth } = budget.limits;
  const hasText = !isBinary(view.bytes);
  const depthOf = (kinds: ReadonlySet<string>) => view.depth + ([...kinds].every((kind) => plain.has(kind)) ? 0 : HALF);
  const read = hasText ? rewritten(view, rewritings, depthOf, budget) : undefined;
  if (read) {
    const level = read.kinds.has('escapes') ? escapeLevel + 1 : escapeLevel;
    if (level > MAX_ESCAPE_LEVELS) queue.tooDeep = 'escapes are nested too deep';
    else if (read.view.depth > maxDepth) queue.tooDeep = `encodings are nested more than ${maxDepth} deep`;
    else queue.views.push({ view: read.view, escapeLevel: level });
  }
  for (const decoder of hasText ? [...binaryDecoders, ...textDecoders] : binaryDecoders) {
    for (const decoded of decoder.decode(view, budget)) {
      if (decoded.depth <= maxDepth) queue.views.push({ view: decoded, escapeLevel: 0 });
      else queue.tooDeep = `encodings are nested more than ${maxDepth} deep`;
    }
  }
}
