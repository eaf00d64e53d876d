// Encodings that replace single characters: percent (RFC 3986, 2.1), HTML entities, quoted-printable (RFC 2045, 6.7), strings
// joined from pieces, and letters set apart by spaces.
import { patternRewriting, type Rewriting } from './rewrite.ts';

const byteOf = (hex: string) => Buffer.of(Number.parseInt(hex, 16));

export const percent: Rewriting = patternRewriting({
  id: 'percent',
  trigger: 0x25,
  pattern: /%[0-9A-Fa-f]{2}/g,
  replace: (match) => byteOf(match.slice(1)),
});

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

export const entities: Rewriting = patternRewriting({
  id: 'entities',
  trigger: 0x26,
  pattern: /&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});/g,
  replace(match) {
    const name = match.slice(1, -1);
    if (!name.startsWith('#')) return named[name.toLowerCase()];
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
  },
});

export const quotedPrintable: Rewriting = patternRewriting({
  id: 'quoted-printable',
  trigger: 0x3d,
  pattern: /=(?:[0-9A-F]{2}|[ \t]{0,8}\r?\n)/g,
  replace: (match) => (/\s$/.test(match) ? '' : byteOf(match.slice(1))),
  least: 3,
});

/** `"ab" + "cd"`, `'ab' . 'cd'`, `"ab" "cd"`: the seam is taken out. */
export const concatenation: Rewriting = patternRewriting({
  id: 'concatenation',
  pattern: /(?<=[\w+/=-])(["'`])[ \t\r\n\\]{0,80}(?:[+.&]|\.\.|<>|\|\|)?[ \t\r\n\\]{0,80}\1(?=[\w+/=-])/g,
  replace: () => '',
});
