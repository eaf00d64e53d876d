// All ways to read a payload: the bytes as they are, and what the decoders in decode/ make of them, again and again until nothing
// is encoded any more or a limit is reached.
import { escapedLines, unescape } from './decode/escapes.ts';
import { type Budget, exceeded } from './limits.ts';
import { mappedView, type View } from './view.ts';

/** Backslashes double with every level of quoting, so this many levels would be thousands of backslashes. */
const MAX_ESCAPE_LEVELS = 10;

/**
 * Yields `root`, or what its escapes stand for when it is JSON, then every decoded view of that, outermost first.
 * Throws INSPECT_LIMIT when there is more than the budget allows to look at.
 */
export function* viewsOf(root: View, budget: Budget, { isJson }: { readonly isJson: boolean }): Generator<View> {
  budget.chargeView(root.bytes.length);
  const queue: { view: View; escapeLevel: number }[] = [{ view: root, escapeLevel: 0 }];
  for (let entry = queue.shift(); entry; entry = queue.shift()) {
    const { view, escapeLevel } = entry;
    yield view;
    const unescaped = unescapedView(view, isJson && escapeLevel === 0);
    if (unescaped) {
      if (escapeLevel >= MAX_ESCAPE_LEVELS) throw exceeded('escapes are nested too deep');
      budget.chargeView(unescaped.bytes.length);
      queue.push({ view: unescaped, escapeLevel: escapeLevel + 1 });
    }
  }
}

/** What the escapes of a view stand for; only the lines that hold any, unless the whole is JSON. */
function unescapedView(view: View, isJson: boolean): View | undefined {
  const lines = escapedLines(view.bytes);
  if (lines.length === 0) return undefined;
  const { bytes, shifts } = unescape(view.bytes, isJson ? [{ start: 0, end: view.bytes.length }] : lines);
  return mappedView(view, isJson ? 'json' : 'escapes', bytes, shifts, view.depth);
}
