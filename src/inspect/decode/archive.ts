// Archives: tar and ZIP. Each member is a view of its own, and so is every stretch that belongs to none; the names of the members
// together are one more, since a name can carry something out too.
import { exceeded } from '../limits.ts';
import { runView, type Span } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { gapsBetween } from './gaps.ts';
import { containerKind } from './readable.ts';
import { tarParts } from './tar.ts';
import { zipParts } from './zip.ts';

/** A member, or a record that only tells of members. */
export interface Part {
  readonly names: readonly string[];
  readonly content: Buffer | undefined;
  readonly span: Span;
  /** What of the archive is in `names` or `content`, or holds nothing but numbers. */
  readonly read: readonly Span[];
}

/** Records that hold nothing are no views, but work all the same. */
const MOST_PARTS = 100_000;

export const archive: Decoder = {
  id: 'archive',
  readsAll: true,
  *decode(view, budget) {
    const kind = containerKind(view.bytes);
    if (kind !== 'tar' && kind !== 'zip') return;
    const names = new Set<string>();
    const read: Span[] = [];
    let parts = 0;
    for (const part of kind === 'tar' ? tarParts(view, budget) : zipParts(view, budget)) {
      budget.checkTime();
      parts += 1;
      if (parts > MOST_PARTS) throw exceeded(`more than ${MOST_PARTS} parts in an archive`);
      for (const name of part.names) names.add(name);
      for (const span of part.read) read.push(span);
      if (!part.content) continue;
      budget.chargeView(part.content.length);
      yield runView(view, kind, part.content, part.span);
    }
    for (const gap of gapsBetween(view.bytes, read)) {
      budget.chargeView(gap.end - gap.start);
      yield runView(view, kind, view.bytes.subarray(gap.start, gap.end), gap);
    }
    const listed = Buffer.from([...names].join('\n'), 'latin1');
    budget.chargeView(listed.length);
    yield runView(view, kind, listed, { start: 0, end: view.bytes.length });
  },
};
