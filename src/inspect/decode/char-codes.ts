// Text or a packed stream as a list of numbers: `[104, 116, …]`, `{"0":104,"1":116}`, `0x68, 0x74`, `chr(104) . chr(116)`, `fromCharCode(104, 116)`.
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { hexDigit } from './escapes.ts';
import { containerKind, isText } from './readable.ts';

const LEAST_NUMBERS = 16;
const LONGEST_GAP = 16;
const LONGEST_NAME = 12;
/** From a first number to the last that makes it a list: digits, brackets, what separates them, an index, a sign and a name, each time. */
const MOST_APART = (LEAST_NUMBERS - 1) * (4 + 1 + LONGEST_GAP + LONGEST_NAME + 14 + 2);

const DIGIT = 1;
const SPACE = 2;
const SEPARATOR = 4;
const NAME = 8;
const kindOf = new Uint8Array(256);
const mark = (bytes: string, kind: number) => {
  for (const byte of Buffer.from(bytes)) kindOf[byte] = (kindOf[byte] ?? 0) | kind;
};
mark('0123456789', DIGIT);
mark(' \t\r\n', SPACE);
mark(',+.;', SEPARATOR);
for (let byte = 0x41; byte <= 0x7a; byte++) kindOf[byte] = (kindOf[byte] ?? 0) | NAME;

export const charCodes: Decoder = {
  id: 'char-codes',
  needs: ['numbers'],
  *decode(view, budget, { numbers }) {
    const { bytes } = view;
    const codes: number[] = [];
    let free = 0;
    // Few numbers have so many others behind them, and near enough, that they may be a list.
    for (let i = 0; i + LEAST_NUMBERS <= numbers.length; i++) {
      const start = numbers[i] ?? 0;
      // What was read as a list is not read again from its second number on.
      if (start < free || (numbers[i + LEAST_NUMBERS - 1] ?? 0) - start > MOST_APART) continue;
      const end = readList(bytes, start, codes);
      free = end;
      if (codes.length < LEAST_NUMBERS || !isReadableList(Uint8Array.from(codes))) continue;
      budget.chargeView(codes.length);
      yield runView(view, 'char-codes', Buffer.from(codes), { start, end });
    }
  },
};

/** Numbers up to 255 joined by commas, dots, pluses or spaces, each perhaps in a call, from `start` on; says where they end. */
function readList(bytes: Buffer, start: number, codes: number[]): number {
  codes.length = 0;
  let end = start;
  for (let at = start; at >= 0; ) {
    const isHex = bytes[at] === 0x30 && bytes[at + 1] === 0x78;
    const numberEnd = isHex ? endOfHex(bytes, at + 2) : endOfDecimal(bytes, at);
    const code = isHex ? valueOf(bytes, at + 2, numberEnd, 16) : valueOf(bytes, at, numberEnd, 10);
    if (numberEnd === at + (isHex ? 2 : 0) || code > 255) break;
    // Bytes with a sign are those above 127.
    codes.push(bytes[at - 1] === MINUS && code <= 128 ? (256 - code) & 255 : code);
    end = isHex ? at + 4 : numberEnd;
    at = nextNumber(bytes, end);
  }
  return end;
}

/** `"12":`, as lists of bytes have when they are written as objects. */
function overIndex(bytes: Buffer, from: number): number {
  if (bytes[from] !== QUOTE) return from;
  let i = from + 1;
  while (i < from + LONGEST_INDEX && ((kindOf[bytes[i] ?? 0] ?? 0) & DIGIT) !== 0) i += 1;
  if (i === from + 1 || bytes[i] !== QUOTE || bytes[i + 1] !== COLON) return from;
  return bytes[i + 2] === BLANK ? i + 3 : i + 2;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BLANK = 0x20;
const MINUS = 0x2d;
const LONGEST_INDEX = 9;

/** Text, or a stream that was packed: any other list of numbers is no list of bytes. */
function isReadableList(codes: Uint8Array): boolean {
  const kind = containerKind(codes);
  // Of the two bytes that tell zlib the first is nearly always this one; any others come by chance.
  return isText(codes) || (kind !== undefined && (kind !== 'zlib' || codes[0] === 0x78));
}

function endOfHex(bytes: Buffer, from: number): number {
  let end = from;
  while (end < from + 2 && hexDigit(bytes[end] ?? 0) >= 0) end += 1;
  return end;
}

function endOfDecimal(bytes: Buffer, from: number): number {
  let end = from;
  while (end < from + 4 && ((kindOf[bytes[end] ?? 0] ?? 0) & DIGIT) !== 0) end += 1;
  return end;
}

function valueOf(bytes: Buffer, start: number, end: number, base: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * base + hexDigit(bytes[i] ?? 0);
  return value;
}

/** Over a closing bracket, white space, one separator, an index or a sign and the name of a call; -1 when no number follows. */
function nextNumber(bytes: Buffer, from: number): number {
  const begin = bytes[from] === 0x29 ? from + 1 : from;
  let i = begin;
  let hasSeparator = false;
  for (; i < begin + LONGEST_GAP; i++) {
    const kind = kindOf[bytes[i] ?? 0] ?? 0;
    if ((kind & SPACE) !== 0) continue;
    if (hasSeparator || (kind & SEPARATOR) === 0) break;
    hasSeparator = true;
  }
  if (i === begin) return -1;
  i = overIndex(bytes, i);
  if (bytes[i] === MINUS) i += 1;
  const name = i;
  while (i < name + LONGEST_NAME && ((kindOf[bytes[i] ?? 0] ?? 0) & NAME) !== 0) i += 1;
  if (i > name) i = bytes[i] === 0x28 ? i + 1 : -1;
  return i > 0 && ((kindOf[bytes[i] ?? 0] ?? 0) & DIGIT) !== 0 ? i : -1;
}
