// Backslash escapes: those of JSON (RFC 8259, section 7) and of the languages that agents quote (\xNN, octal, \u{…}, \UXXXXXXXX).
// It does not parse JSON, so broken JSON, JSON in JSON and string literals in code are all read the same way.
import type { Shifts, Span } from '../view.ts';
import type { Piece, Rewriting } from './rewrite.ts';

const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** What a single letter after a backslash stands for. */
const letters: ReadonlyMap<number, number> = new Map(
  Object.entries({ n: 10, r: 13, t: 9, b: 8, f: 12, v: 11, a: 7, e: 27, '"': 34, "'": 39, '`': 96, '/': 47, '\\': 92 }).map(
    ([letter, byte]) => [letter.charCodeAt(0), byte],
  ),
);

export interface Unescaped {
  readonly bytes: Buffer;
  readonly shifts: Shifts;
}

/** The ranges joined by line breaks, with every escape replaced by what it stands for. */
export function unescape(bytes: Buffer, ranges: readonly Span[]): Unescaped {
  const out = Buffer.allocUnsafe(ranges.reduce((sum, range) => sum + range.end - range.start + 1, 0));
  const at: number[] = [];
  const shift: number[] = [];
  let written = 0;
  for (const { start, end } of ranges) {
    if (written > 0) out[written++] = NEWLINE;
    let read = start;
    if (read !== written) {
      at.push(written);
      shift.push(read - written);
    }
    while (read < end) {
      const found = bytes.indexOf(BACKSLASH, read);
      const next = found === -1 || found >= end ? end : found;
      written += bytes.copy(out, written, read, next);
      read = next;
      if (read === end) break;
      const escape = readEscape(bytes, read, end);
      if (escape === undefined) {
        out[written++] = BACKSLASH;
        read += 1;
        continue;
      }
      written += escape.isByte ? writeByte(out, written, escape.code) : writeCodePoint(out, written, escape.code);
      read += escape.length;
      at.push(written);
      shift.push(read - written);
    }
  }
  return { bytes: out.subarray(0, written), shifts: { at: Int32Array.from(at), shift: Int32Array.from(shift) } };
}

/** Escapes in text that is not JSON as a whole: string literals, JSON in JSON. */
export const escapes: Rewriting = {
  id: 'escapes',
  pieces({ bytes }) {
    const pieces: Piece[] = [];
    for (let at = bytes.indexOf(BACKSLASH); at !== -1; ) {
      const escape = readEscape(bytes, at, bytes.length);
      const end = at + (escape?.length ?? 1);
      if (escape) pieces.push({ kind: 'escapes', start: at, end, stands: bytesOf(escape) });
      at = bytes.indexOf(BACKSLASH, end);
    }
    return pieces;
  },
};

/** Shared: most escapes are one of a few. */
const single: readonly Buffer[] = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte));

function bytesOf({ code, isByte }: Escape): Buffer {
  if (isByte || code < 0x80) return single[code] ?? Buffer.alloc(0);
  const out = Buffer.alloc(4);
  return out.subarray(0, writeCodePoint(out, 0, code));
}

interface Escape {
  readonly code: number;
  readonly length: number;
  /** A byte of its own, as `\xNN` and octal are in most languages; else a code point. */
  readonly isByte?: true;
}

function readEscape(bytes: Buffer, start: number, end: number): Escape | undefined {
  const letter = start + 1 < end ? (bytes[start + 1] ?? 0) : 0;
  const simple = letters.get(letter);
  if (simple !== undefined) return { code: simple, length: 2 };
  switch (letter) {
    case 0x75: // u
      return bytes[start + 2] === 0x7b ? readBraced(bytes, start, end) : readUnit(bytes, start, end);
    case 0x78: // x
      return readHex(bytes, start + 2, 2, end, { length: 4, isByte: true });
    case 0x55: // U
      return readHex(bytes, start + 2, 8, end, { length: 10 });
    default:
      return letter >= 0x30 && letter <= 0x37 ? readOctal(bytes, start + 1, end) : undefined;
  }
}

/** `\uXXXX`, and a surrogate pair of two as one code point. */
function readUnit(bytes: Buffer, start: number, end: number): Escape | undefined {
  const first = readHex(bytes, start + 2, 4, end, { length: 6 });
  if (first === undefined || first.code < 0xd800 || first.code > 0xdbff) return first;
  if (bytes[start + 6] !== BACKSLASH || bytes[start + 7] !== 0x75) return first;
  const second = readHex(bytes, start + 8, 4, end, { length: 6 });
  if (second === undefined || second.code < 0xdc00 || second.code > 0xdfff) return first;
  return { code: 0x10000 + ((first.code - 0xd800) << 10) + (second.code - 0xdc00), length: 12 };
}

function readBraced(bytes: Buffer, start: number, end: number): Escape | undefined {
  for (let digits = 1; digits <= 6; digits++) {
    if (bytes[start + 3 + digits] === 0x7d) return readHex(bytes, start + 3, digits, end, { length: digits + 4 });
  }
  return undefined;
}

function readHex(bytes: Buffer, start: number, digits: number, end: number, shape: { length: number; isByte?: true }): Escape | undefined {
  if (start + digits > end) return undefined;
  let code = 0;
  for (let i = start; i < start + digits; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return undefined;
    code = code * 16 + digit;
  }
  return code > 0x10ffff ? undefined : { code, ...shape };
}

function readOctal(bytes: Buffer, start: number, end: number): Escape {
  let code = 0;
  let i = start;
  for (; i < Math.min(start + 3, end); i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7 || code * 8 + digit > 255) break;
    code = code * 8 + digit;
  }
  return { code, length: i - start + 1, isByte: true };
}

/** -1 for what is no hexadecimal digit. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function writeByte(out: Buffer, at: number, code: number): number {
  out[at] = code;
  return 1;
}

/** UTF-8; a lone surrogate becomes three bytes as in WTF-8. Never longer than the escape it stands for. */
function writeCodePoint(out: Buffer, at: number, code: number): number {
  if (code < 0x80) return writeByte(out, at, code);
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6);
    out[at + 1] = 0x80 | (code & 0x3f);
    return 2;
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >> 12);
    out[at + 1] = 0x80 | ((code >> 6) & 0x3f);
    out[at + 2] = 0x80 | (code & 0x3f);
    return 3;
  }
  out[at] = 0xf0 | (code >> 18);
  out[at + 1] = 0x80 | ((code >> 12) & 0x3f);
  out[at + 2] = 0x80 | ((code >> 6) & 0x3f);
  out[at + 3] = 0x80 | (code & 0x3f);
  return 4;
}
