// UTF-16 of mostly Latin text, told by its byte order mark or by its NULs.
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { utf16Kind } from './readable.ts';

export const utf16: Decoder = {
  id: 'utf-16',
  readsAll: true,
  *decode(view, budget) {
    const kind = utf16Kind(view.bytes);
    if (kind === undefined) return;
    const even = Buffer.from(view.bytes.subarray(0, view.bytes.length & ~1));
    const bytes = Buffer.from((kind === 'utf-16le' ? even : even.swap16()).toString('utf16le'));
    budget.chargeView(bytes.length);
    yield runView(view, 'utf-16', bytes, { start: 0, end: view.bytes.length });
  },
};
