// Backslash escapes: those of JSON (RFC 8259, section 7) and of the languages that agents quote (\xNN, octal, \u{…}, \x{…}, \UXXXXXXXX).
// It does not parse JSON, so broken JSON, JSON in JSON and string literals in code are all read the same way.

const BACKSLASH = 0x5c;

/** What a single letter after a backslash stands for; 0 for none. */
export const letters = new Uint8Array(256);
for (const [letter, byte] of Object.entries({
  n: 10,
  r: 13,
  t: 9,
  b: 8,
  f: 12,
  v: 11,
  a: 7,
  e: 27,
  '"': 34,
  "'": 39,
  '`': 96,
  '/': 47,
  '\\': 92,
})) {
  letters[letter.charCodeAt(0)] = byte;
}

/** The escape that was read last: no object for each of a hundred thousand. */
const last = { code: 0, isByte: false };

/** Of a code point in UTF-8. */
export const LONGEST_WRITTEN = 4;

/** Length of the escape at `start`; 0 when it is none. What it stands for is then written by `writeEscape`. */
export function readEscape(bytes: Uint8Array, start: number, end: number): number {
  const letter = start + 1 < end ? (bytes[start + 1] ?? 0) : 0;
  const simple = letters[letter] ?? 0;
  if (simple !== 0) return found(simple, 2, true);
  switch (letter) {
    case 0x75: // u
      return bytes[start + 2] === 0x7b ? readBraced(bytes, start, end) : readUnit(bytes, start, end);
    case 0x78: // x
      return bytes[start + 2] === 0x7b ? readBraced(bytes, start, end) : readHex(bytes, start + 2, 2, end, 4, true);
    case 0x55: // U
      return readHex(bytes, start + 2, 8, end, 10, false);
    default:
      return letter >= 0x30 && letter <= 0x37 ? readOctal(bytes, start + 1, end) : 0;
  }
}

/** Writes what the escape that was read last stands for; returns the bytes written, never more than the escape has. */
export function writeEscape(out: Uint8Array, at: number): number {
  const { code } = last;
  if (last.isByte || code < 0x80) {
    out[at] = code;
    return 1;
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6);
    out[at + 1] = 0x80 | (code & 0x3f);
    return 2;
  }
  if (code < 0x10000) {
    // A lone surrogate becomes three bytes as in WTF-8.
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

/** True for a backslash that only quotes: a reader of code sees the same words without taking it off. */
export function isPlainEscape(bytes: Uint8Array, start: number): boolean {
  const letter = bytes[start + 1] ?? 0;
  return letter === 0x6e || letter === 0x74 || letter === 0x72 || letter === 0x22 || letter === 0x27 || letter === BACKSLASH;
}

function found(code: number, length: number, isByte: boolean): number {
  last.code = code;
  last.isByte = isByte;
  return length;
}

/** `\uXXXX`, and a surrogate pair of two as one code point. */
function readUnit(bytes: Uint8Array, start: number, end: number): number {
  const length = readHex(bytes, start + 2, 4, end, 6, false);
  const first = last.code;
  if (length === 0 || first < 0xd800 || first > 0xdbff) return length;
  if (bytes[start + 6] !== BACKSLASH || bytes[start + 7] !== 0x75) return length;
  if (readHex(bytes, start + 8, 4, end, 6, false) === 0 || last.code < 0xdc00 || last.code > 0xdfff) return found(first, length, false);
  return found(0x10000 + ((first - 0xd800) << 10) + (last.code - 0xdc00), 12, false);
}

function readBraced(bytes: Uint8Array, start: number, end: number): number {
  for (let digits = 1; digits <= 6; digits++) {
    if (bytes[start + 3 + digits] === 0x7d) return readHex(bytes, start + 3, digits, end, digits + 4, false);
  }
  return 0;
}

function readHex(bytes: Uint8Array, start: number, digits: number, end: number, length: number, isByte: boolean): number {
  if (start + digits > end) return 0;
  let code = 0;
  for (let i = start; i < start + digits; i++) {
    const digit = hexDigit(bytes[i] ?? 0);
    if (digit < 0) return 0;
    code = code * 16 + digit;
  }
  return code > 0x10ffff ? 0 : found(code, length, isByte);
}

function readOctal(bytes: Uint8Array, start: number, end: number): number {
  let code = 0;
  let i = start;
  for (; i < Math.min(start + 3, end); i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7 || code * 8 + digit > 255) break;
    code = code * 8 + digit;
  }
  return found(code, i - start + 1, true);
}

/** -1 for what is no hexadecimal digit. */
export function hexDigit(byte: number): number {
  return hexDigits[byte] ?? -1;
}

const hexDigits = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 10; digit++) hexDigits[0x30 + digit] = digit;
for (let digit = 10; digit < 16; digit++) {
  hexDigits[0x57 + digit] = digit;
  hexDigits[0x37 + digit] = digit;
}
