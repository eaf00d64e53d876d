// Encodings that replace single characters: percent (RFC 3986, 2.1), HTML entities, quoted-printable (RFC 2045, 6.7), backslash
// escapes, and strings joined from pieces.
import { hexDigit, readEscape, writeEscape } from './escapes.ts';
import type { Rewriting, Stand } from './rewrite.ts';
import { isSeam } from './survey.ts';

const code = (text: string) => [...text].map((character) => character.charCodeAt(0));

function write(stand: Stand, text: string): void {
  stand.length = Buffer.from(stand.bytes.buffer).write(text, 'utf8');
}

function writeByte(stand: Stand, byte: number): void {
  stand.bytes[0] = byte;
  stand.length = 1;
}

export const percent: Rewriting = {
  id: 'percent',
  begins: code('%'),
  read(bytes, at, stand) {
    const high = hexDigit(bytes[at + 1] ?? 0);
    const low = hexDigit(bytes[at + 2] ?? 0);
    if (high >= 0 && low >= 0) {
      writeByte(stand, 16 * high + low);
      return 3;
    }
    // `%uXXXX`, as the `escape` of JavaScript writes it.
    if (bytes[at + 1] !== 0x75) return 0;
    const unit = Buffer.from(bytes.subarray(at + 2, at + 6)).toString('latin1');
    if (!/^[0-9A-Fa-f]{4}$/.test(unit)) return 0;
    write(stand, String.fromCharCode(Number.parseInt(unit, 16)));
    return 6;
  },
};

const named: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  lpar: '(',
  rpar: ')',
  lbrack: '[',
  rbrack: ']',
  lbrace: '{',
  rbrace: '}',
  lowbar: '_',
  equals: '=',
  plus: '+',
  semi: ';',
  colon: ':',
  comma: ',',
  period: '.',
  sol: '/',
  bsol: '\\',
  dollar: '$',
  num: '#',
  percnt: '%',
  ast: '*',
  grave: '`',
  excl: '!',
  quest: '?',
  verbar: '|',
  commat: '@',
  newline: '\n',
  tab: '\t',
};

const LONGEST_ENTITY = 10;
/** Zeros before the digits mean nothing, and readers do without the semicolon. */
const NUMERIC = /^&#(?:0{0,24}(\d{1,7})|[xX]0{0,24}([0-9A-Fa-f]{1,6}))(?![0-9A-Fa-f]);?/;
const LONGEST_NUMERIC = 36;
const NUMBER_SIGN = 0x23;
const SEMICOLON = 0x3b;

export const entities: Rewriting = {
  id: 'entities',
  begins: code('&'),
  read(bytes, at, stand) {
    if (bytes[at + 1] === NUMBER_SIGN) return readNumeric(bytes, at, stand);
    let end = at + 1;
    while (end < at + LONGEST_ENTITY && bytes[end] !== SEMICOLON) end += 1;
    if (bytes[end] !== SEMICOLON) return 0;
    const stands = meaningOf(Buffer.from(bytes.subarray(at + 1, end)).toString('latin1'));
    if (stands === undefined) return 0;
    write(stand, stands);
    return end + 1 - at;
  },
};

function readNumeric(bytes: Uint8Array, at: number, stand: Stand): number {
  const [all = '', decimal, hex = ''] = NUMERIC.exec(Buffer.from(bytes.subarray(at, at + LONGEST_NUMERIC)).toString('latin1')) ?? [];
  const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
  if (!(point > 0 && point <= 0x10ffff)) return 0;
  write(stand, String.fromCodePoint(point));
  return all.length;
}

function meaningOf(name: string): string | undefined {
  return /^[A-Za-z]{2,8}$/.test(name) ? named[name.toLowerCase()] : undefined;
}

const isUpperHex = (byte: number) => hexDigit(byte) >= 0 && byte < 0x61;
const LONGEST_BLANK = 8;

export const quotedPrintable: Rewriting = {
  id: 'quoted-printable',
  begins: code('='),
  read(bytes, at, stand) {
    const high = bytes[at + 1] ?? 0;
    const low = bytes[at + 2] ?? 0;
    if (isUpperHex(high) && isUpperHex(low)) {
      writeByte(stand, 16 * hexDigit(high) + hexDigit(low));
      return 3;
    }
    // A soft line break stands for nothing.
    let end = at + 1;
    while (end < at + 1 + LONGEST_BLANK && (bytes[end] === 0x20 || bytes[end] === 0x09)) end += 1;
    if (bytes[end] === 0x0d) end += 1;
    return bytes[end] === 0x0a ? end + 1 - at : 0;
  },
  least: 3,
};

const LONGEST_GAP = 80;
const isGap = new Uint8Array(256);
for (const byte of code(' \t\r\n\\')) isGap[byte] = 1;

function overGap(bytes: Uint8Array, from: number): number {
  let end = from;
  while (end < from + LONGEST_GAP && isGap[bytes[end] ?? 0] === 1) end += 1;
  return end;
}

/** `+`, `.`, `&`, `..`, `<>`, `||`: what joins two strings in some language. */
function overOperator(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  const next = bytes[at + 1];
  if ((byte === 0x2e && next === 0x2e) || (byte === 0x3c && next === 0x3e) || (byte === 0x7c && next === 0x7c)) return at + 2;
  return byte === 0x2b || byte === 0x2e || byte === 0x26 ? at + 1 : at;
}

/** `"ab" + "cd"`, `'ab' . 'cd'`, `"ab" "cd"`: the seam is taken out. */
export const concatenation: Rewriting = {
  id: 'concatenation',
  begins: code('"\'`'),
  read(bytes, at) {
    if (isSeam[bytes[at - 1] ?? 0] === 0) return 0;
    const end = overGap(bytes, overOperator(bytes, overGap(bytes, at + 1)));
    return bytes[end] === bytes[at] && isSeam[bytes[end + 1] ?? 0] === 1 ? end + 1 - at : 0;
  },
};

export const escapes: Rewriting = {
  id: 'escapes',
  begins: code('\\'),
  read(bytes, at, stand) {
    const length = readEscape(bytes, at, bytes.length);
    if (length > 0) stand.length = writeEscape(stand.bytes, 0);
    return length;
  },
};

const CSI = 0x5b;
const OSC = 0x5d;
const BELL = 0x07;
const ESCAPE = 0x1b;
const LONGEST_SEQUENCE = 256;

/** Control sequences of terminals (ECMA-48, 5.4 and 8.3.89): colours and links stand for nothing. */
export const terminal: Rewriting = {
  id: 'terminal',
  begins: [ESCAPE],
  read(bytes, at) {
    const kind = bytes[at + 1];
    const limit = Math.min(bytes.length, at + LONGEST_SEQUENCE);
    let end = at + 2;
    if (kind === CSI) {
      while (end < limit && (bytes[end] ?? 0) >= 0x20 && (bytes[end] ?? 0) < 0x40) end += 1;
      return end < limit && (bytes[end] ?? 0) >= 0x40 && (bytes[end] ?? 0) < 0x7f ? end + 1 - at : 0;
    }
    if (kind !== OSC) return 0;
    while (end < limit && bytes[end] !== BELL && bytes[end] !== ESCAPE) end += 1;
    if (end >= limit) return 0;
    return bytes[end] === BELL ? end + 1 - at : bytes[end + 1] === 0x5c ? end + 2 - at : 0;
  },
};
