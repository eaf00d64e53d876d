// One pass over a view that says where decoders may find something, so that each of them looks only there. The loop over the bytes is
// WebAssembly (kernel/survey.kernel.ts), sixteen bytes at a time. A fault in it is a trap, so an exception, so a refusal.
import { tableOf } from '../kernel/memory.ts';
import { startKernel } from '../kernel/start.ts';
import { surveyCode } from '../kernel/survey.code.ts';
import * as K from '../kernel/survey.kernel.ts';
import type { Budget } from '../limits.ts';
import { Numbers } from './numbers.ts';

/** Positions, in order. INVARIANT: valid until the next survey, because the memory is used again. */
export interface Survey {
  /** Where a piece may stand that is replaced in place: see rewrite.ts. */
  readonly pieces: Int32Array;
  /** Where a number begins that is no part of a word. */
  readonly numbers: Int32Array;
  /** Lines that begin as those of a dump do. */
  readonly dumpLines: Int32Array;
  /** Lines that are comments. */
  readonly commentLines: Int32Array;
  /** Where block comments begin. */
  readonly blockComments: Int32Array;
  /** Somewhere in each run that is long enough to be base64; in one there may be many. */
  readonly base64: Int32Array;
  /** The same of hexadecimal. */
  readonly hex: Int32Array;
  /** Never less than how many letters or digits with a blank behind them are followed by another such. */
  readonly apart: number;
}

const names = ['pieces', 'numbers', 'dumpLines', 'commentLines', 'blockComments', 'base64', 'hex'] as const;
const none = new Int32Array(0);
export const noSurvey: Survey = {
  pieces: none,
  numbers: none,
  dumpLines: none,
  commentLines: none,
  blockComments: none,
  base64: none,
  hex: none,
  apart: 0,
};

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** What a digit must not follow to begin a number. */
const WORD = `${ALPHANUMERIC}_.`;
/** What stands at a seam of two strings. */
const SEAM = `${ALPHANUMERIC}_+/=-`;

export const isWord = new Uint8Array(256);
for (const byte of Buffer.from(WORD)) isWord[byte] = 1;
export const isSeam = new Uint8Array(256);
for (const byte of Buffer.from(SEAM)) isSeam[byte] = 1;

interface Kernel {
  readonly memory: WebAssembly.Memory;
  survey(from: number, to: number, shift: number, isFirst: number): number;
}

const { memory, survey: run } = startKernel<Kernel>(surveyCode);
new Uint8Array(memory.buffer).set(tables());
const BEFORE = 16;
const text = new Uint8Array(memory.buffer, K.TEXT - BEFORE, BEFORE + K.PART + K.BEHIND);
const counts = new Int32Array(memory.buffer, K.COUNTS, K.HOW_MANY + 1);
const lists = names.map((_, i) => new Int32Array(memory.buffer, K.LISTS + i * K.LIST, K.PART));
/** What the parts of a longer text yield, one after the other. */
const joined = names.map(() => new Numbers());

export function survey(bytes: Uint8Array, budget: Budget): Survey {
  if (bytes.length <= K.PART) {
    surveyPart(bytes, 0);
    return surveyOf((i) => (counts[i] === 0 ? none : lists[i]?.subarray(0, counts[i])), counts[K.HOW_MANY]);
  }
  for (const list of joined) list.clear();
  let apart = 0;
  for (let start = 0; start < bytes.length; start += K.PART) {
    budget.checkTime();
    surveyPart(bytes, start);
    for (const [i, list] of joined.entries()) list.append(lists[i] ?? none, counts[i] ?? 0);
    apart += counts[K.HOW_MANY] ?? 0;
  }
  return surveyOf((i) => joined[i]?.view(), apart);
}

function surveyOf(list: (i: number) => Int32Array | undefined, apart = 0): Survey {
  const [pieces = none, numbers = none, dumpLines = none, commentLines = none, blockComments = none, base64 = none, hex = none] = names.map(
    (_, i) => list(i),
  );
  return { pieces, numbers, dumpLines, commentLines, blockComments, base64, hex, apart };
}

function surveyPart(bytes: Uint8Array, start: number): void {
  const end = Math.min(bytes.length, start + K.PART);
  const first = Math.max(0, start - BEFORE);
  const part = bytes.subarray(first, end + K.BEHIND);
  const at = BEFORE - (start - first);
  // What is not there is zero, not what an earlier text left.
  text.fill(0, 0, at);
  text.set(part, at);
  text.fill(0, at + part.length, BEFORE + end - start + K.BEHIND);
  run(K.TEXT, K.TEXT + end - start, start - K.TEXT, start === 0 ? 1 : 0);
}

/** What the kernel looks up; it changes nothing of it. */
export function tables(): Uint8Array {
  const all = new Uint8Array(K.TEXT);
  all.set(tableOf('\\%&=\x1b'), K.PIECES);
  all.set(tableOf('"\'`'), K.QUOTES);
  all.set(tableOf(SEAM), K.SEAM);
  all.set(tableOf(WORD), K.WORD);
  all.set(tableOf('0123456789'), K.DIGITS);
  all.set(tableOf(`${ALPHANUMERIC}+/-_`), K.BASE64);
  all.set(tableOf('0123456789abcdefABCDEF :,\r\n'), K.IN_HEX);
  all.set(tableOf('0123456789abcdefABCDEF'), K.HEX);
  all.set(tableOf(' \t>|+-'), K.MARGIN);
  all.set(tableOf('\n'), K.NEWLINE);
  all.set(tableOf('*'), K.STAR);
  all.set(tableOf(' '), K.SPACE);
  for (const byte of Buffer.from('0123456789abcdefABCDEF')) all[K.HEX_DIGIT + byte] = 1;
  return all;
}
