// Characters that look like others or like nothing: NFKC (UAX 15) for full-width and mathematical letters, confusables of Latin
// letters (UTS 39), and invisible, bidirectional, tag and combining characters. Folded to what a reader would take them for.
import type { Piece, Rewriting } from './rewrite.ts';

const lookAlikes: ReadonlyMap<number, string> = new Map(
  Object.entries({
    a: 'аαɑạ',
    b: 'ЬƄ',
    c: 'сϲᴄ',
    d: 'ԁɗ',
    e: 'еєҽ',
    f: 'ƒ',
    g: 'ɡց',
    h: 'һհ',
    i: 'іιıɩ',
    j: 'јϳ',
    k: 'κкᴋ',
    l: 'ӏⅼǀ',
    m: 'мᴍ',
    n: 'ոռᴨ',
    o: 'оοօσᴏ',
    p: 'рρ',
    q: 'ԛգ',
    r: 'гᴦ',
    s: 'ѕꜱ',
    t: 'тτᴛ',
    u: 'υսцᴜ',
    v: 'νѵᴠ',
    w: 'ѡԝա',
    x: 'хχ',
    y: 'уγү',
    z: 'ᴢ',
    A: 'АΑ',
    B: 'ВΒ',
    C: 'СϹ',
    E: 'ЕΕ',
    H: 'НΗ',
    I: 'ІΙӀ',
    J: 'Ј',
    K: 'КΚ',
    M: 'МΜ',
    N: 'Ν',
    O: 'ОΟ',
    P: 'РΡ',
    S: 'Ѕ',
    T: 'ТΤ',
    X: 'ХΧ',
    Y: 'ҮΥ',
    Z: 'Ζ',
    '-': '‐‑‒–—−',
    "'": '‘’ʼʹ′',
    '"': '“”″',
    '/': '⁄∕',
    ';': ';',
    ':': 'ː∶',
    '.': '․',
    _: 'ˍ',
    '0': 'О',
  }).flatMap(([plain, others]) => [...others].map((other): [number, string] => [other.codePointAt(0) ?? 0, plain])),
);

const invisible = /[\p{Cf}\p{Mn}\p{Me}\u115f\u1160\u3164\uffa0\u2800]/u;

const TAGS = 0xe0000;

/** What a reader takes a character for; the character itself when it looks like no other. */
function foldCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // Tag characters spell ASCII invisibly.
  if (code >= TAGS + 0x20 && code < TAGS + 0x7f) return String.fromCharCode(code - TAGS);
  const alike = lookAlikes.get(code);
  if (alike !== undefined) return alike;
  if (invisible.test(character)) return '';
  return character.normalize('NFKD').replace(/\p{M}/gu, '');
}

/** `undefined` when a character (its UTF-8 bytes, one character each) looks like no other. */
function foldedOf(bytes: string): Buffer | undefined {
  const character = Buffer.from(bytes, 'latin1').toString('utf8');
  const folded = foldCharacter(character);
  return folded === character ? undefined : Buffer.from(folded);
}

/** Letters of other scripts are folded in a view of their own; the text itself is read as it is, too. */
export const fold: Rewriting = {
  id: 'unicode-fold',
  pieces(view) {
    const pieces: Piece[] = [];
    const known = new Map<string, Buffer | undefined>();
    // Runs of UTF-8 beyond ASCII, in text of one character per byte.
    for (const match of view.text.matchAll(/[\xc2-\xf4][\x80-\xbf]{1,3}/g)) {
      if (!known.has(match[0])) known.set(match[0], foldedOf(match[0]));
      const stands = known.get(match[0]);
      if (stands) pieces.push({ kind: 'unicode-fold', start: match.index, end: match.index + match[0].length, stands });
    }
    return pieces;
  },
};
