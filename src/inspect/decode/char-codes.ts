// Text as a list of numbers: `[104, 116, …]`, `0x68, 0x74`, `chr(104) . chr(116)`, `fromCharCode(104, 116)`.
import { runView } from '../view.ts';
import type { Decoder } from './decoder.ts';
import { isText } from './readable.ts';

const LEAST_NUMBERS = 16;
const LONGEST_GAP = 8;

const isWordByte = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.')) isWordByte[byte] = 1;
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

export const charCodes: Decoder = {
  id: 'char-codes',
  *decode(view, budget) {
    const { bytes } = view;
    for (let i = 0; i < bytes.length; i++) {
      if (!isDigit(bytes[i]) || isWordByte[bytes[i - 1] ?? 0] === 1) continue;
      const list = readList(bytes, i);
      if (list.codes.length >= LEAST_NUMBERS && isText(Buffer.from(list.codes))) {
        budget.chargeView(list.codes.length);
        yield runView(view, 'char-codes', Buffer.from(list.codes), { start: i, end: list.end });
      }
      // What was read as a list is not read again from its second number on.
      i = Math.max(i, list.end - 1);
    }
  },
};

/** Numbers up to 255 joined by commas, dots, pluses or spaces, each perhaps in a call, from `start` on. */
function readList(bytes: Buffer, start: number): { codes: number[]; end: number } {
  const codes: number[] = [];
  let end = start;
  for (let at = start; ; ) {
    const number = readNumber(bytes, at);
    if (!number) return { codes, end };
    codes.push(number.code);
    end = number.end;
    at = nextNumber(bytes, number.end);
    if (at < 0) return { codes, end };
  }
}

function readNumber(bytes: Buffer, at: number): { code: number; end: number } | undefined {
  if (bytes[at] === 0x30 && (bytes[at + 1] ?? 0) === 0x78) {
    const code = Number.parseInt(bytes.toString('latin1', at + 2, at + 4), 16);
    return Number.isNaN(code) ? undefined : { code, end: at + 4 };
  }
  let end = at;
  while (isDigit(bytes[end]) && end < at + 4) end += 1;
  const code = Number(bytes.toString('latin1', at, end));
  return end === at || code > 255 ? undefined : { code, end };
}

/** Over a closing bracket, white space, one separator and the name of a call; -1 when no number follows. */
function nextNumber(bytes: Buffer, from: number): number {
  let i = bytes[from] === 0x29 ? from + 1 : from;
  const begin = i;
  let hasSeparator = false;
  for (; i < begin + 2 * LONGEST_GAP; i++) {
    const byte = bytes[i];
    if (isSpace(byte)) continue;
    if (hasSeparator || (byte !== 0x2c && byte !== 0x2b && byte !== 0x2e && byte !== 0x3b)) break;
    hasSeparator = true;
  }
  if (i === begin) return -1;
  const name = i;
  while (i < name + 12 && (bytes[i] ?? 0) >= 0x41 && (bytes[i] ?? 0) <= 0x7a) i += 1;
  if (i > name) i = bytes[i] === 0x28 ? i + 1 : -1;
  return i > 0 && isDigit(bytes[i]) ? i : -1;
}
