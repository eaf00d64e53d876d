// Comments as text of their own: code that was put into a comment is read without its marks.
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';

const LEAST = 160;

/** Block comments, and at least four line comments in a row. */
const COMMENT = /\/\*[^]{160,8192}?\*\/|(?:^[ \t]{0,40}(?:\/\/|#|--|;)[^\n]{0,400}(?:\n|$)){4,400}/gm;

export const comment: Decoder = {
  id: 'comment',
  *decode(view, budget) {
    for (const match of view.text.matchAll(COMMENT)) {
      const text = match[0].replace(/^[ \t]*(?:(?:\/\*+|\/\/+|#+|--|;+|\*(?!\/)|\|)[ \t]?)+/gm, '').replace(/\*\/$/, '');
      if (text.length < LEAST || !looksLikeCode(text)) continue;
      const bytes = Buffer.from(text, 'latin1');
      budget.chargeView(bytes.length);
      // Taking marks off is no encoding: it does not count as depth.
      yield runView(view, 'comment', bytes, { start: match.index, end: match.index + match[0].length }, view.depth);
    }
  },
};

/** Prose has a mark of syntax here and there, code has them all the time. */
function looksLikeCode(text: string): boolean {
  const marks = text.match(/[;{}=()[\]<>:]/g)?.length ?? 0;
  return marks * LEAST_SHARE > text.length;
}

const LEAST_SHARE = 32;
