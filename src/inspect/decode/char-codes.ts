// Text as a list of numbers: `[104, 116, …]`, `0x68, 0x74`, `chr(104) . chr(116)`, `fromCharCode(104, 116)`.
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { isText } from './readable.ts';

const NUMBER = '(?:0x[0-9A-Fa-f]{2}|[0-9]{1,3})';
/** Numbers joined by commas, spaces, dots or pluses, each perhaps in a call. */
const LIST = new RegExp(
  `(?<![\\w.])(?:[a-zA-Z]{2,12}\\()?${NUMBER}\\)?(?:[ \\t\\r\\n]{0,8}[,+. ;][ \\t\\r\\n]{0,8}(?:[a-zA-Z]{2,12}\\()?${NUMBER}\\)?){15,}`,
  'g',
);

export const charCodes: Decoder = {
  id: 'char-codes',
  *decode(view, budget) {
    for (const match of view.text.matchAll(LIST)) {
      const codes = (match[0].match(/0x[0-9A-Fa-f]{2}|[0-9]{1,3}/g) ?? []).map(Number);
      if (codes.some((code) => code > 255)) continue;
      const bytes = Buffer.from(codes);
      if (!isText(bytes)) continue;
      budget.chargeView(bytes.length);
      yield runView(view, 'char-codes', bytes, { start: match.index, end: match.index + match[0].length });
    }
  },
};
