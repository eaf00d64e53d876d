// Characters that look like others or like nothing: NFKC (UAX 15) for full-width and mathematical letters, confusables of Latin
// letters (UTS 39), and invisible, bidirectional, tag and combining characters. Folded to what a reader would take them for.
import type { Rewriting } from './rewrite.ts';

const lookAlikes: ReadonlyMap<number, string> = new Map(
  Object.entries({
    a: 'аαɑạᴀ',
    b: 'ЬƄʙ',
    c: 'сϲᴄ',
    d: 'ԁɗᴅ',
    e: 'еєҽᴇ',
    f: 'ƒꜰ',
    g: 'ɡցɢ',
    h: 'һհʜ',
    i: 'іιıɩɪ',
    j: 'јϳᴊ',
    k: 'κкᴋ',
    l: 'ӏⅼǀʟ',
    m: 'мᴍ',
    n: 'ոռᴨɴ',
    o: 'оοօσᴏ',
    p: 'рρᴘ',
    q: 'ԛգǫ',
    r: 'гᴦʀ',
    s: 'ѕꜱ',
    t: 'тτᴛ',
    u: 'υսцᴜ',
    v: 'νѵᴠ',
    w: 'ѡԝաᴡ',
    x: 'хχ',
    y: 'уγүʏ',
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
/** Letters in boxes and circles that are filled, and those that flags are spelt with: none of them has a compatibility mapping. */
const enclosed = [0x1f150, 0x1f170, 0x1f1e6];
const A = 0x41;

/** What a reader takes a character for; the character itself when it looks like no other. */
function foldCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // Tag characters spell ASCII invisibly.
  if (code >= TAGS + 0x20 && code < TAGS + 0x7f) return String.fromCharCode(code - TAGS);
  for (const first of enclosed) if (code >= first && code < first + 26) return String.fromCharCode(A + code - first);
  const alike = lookAlikes.get(code);
  if (alike !== undefined) return alike;
  if (invisible.test(character)) return '';
  return character.normalize('NFKD').replace(/\p{M}/gu, '');
}

/** By the bytes of a character; `undefined` for one that looks like no other. */
const known = new Map<number, Buffer | undefined>();
const MOST_KNOWN = 20_000;

/** Letters of other scripts are folded in a view of their own; the text itself is read as it is, too. */
export const fold: Rewriting = {
  id: 'unicode-fold',
  begins: Array.from({ length: 0xf5 - 0xc2 }, (_, i) => 0xc2 + i),
  read(bytes, at, stand) {
    let length = 1;
    let packed = bytes[at] ?? 0;
    for (; length < 4; length++) {
      const byte = bytes[at + length] ?? 0;
      if (byte < 0x80 || byte > 0xbf) break;
      packed = packed * 256 + byte;
    }
    if (length === 1) return 0;
    if (!known.has(packed)) {
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(packed, foldedOf(Buffer.from(bytes.subarray(at, at + length)).toString('utf8')));
    }
    const folded = known.get(packed);
    if (!folded) return 0;
    stand.length = folded.copy(stand.bytes);
    return length;
  },
};

function foldedOf(character: string): Buffer | undefined {
  const folded = foldCharacter(character);
  return folded === character ? undefined : Buffer.from(folded);
}
