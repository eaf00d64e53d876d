// Characters that a person does not see and a model reads. Emoji sequences and the joiners that some scripts need are left alone:
// U+200D between emoji, U+200C and U+200D between letters of scripts that shape with them, U+FE0F after emoji, right-to-left marks
// next to right-to-left letters.
import type { Severity } from './rule.ts';

export interface Hidden {
  readonly line: number;
  readonly kind: 'zero-width' | 'tag' | 'bidi' | 'escape' | 'homoglyph' | 'variation';
  readonly what: string;
  readonly severity: Severity;
}

const suspicious =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufeff\uffa0\ufe00-\ufe0f\u001b\u009b]|[\u{e0000}-\u{e01ef}]/u;
const emoji = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|[\u{1f1e6}-\u{1f1ff}]|\ufe0f|\u20e3|[0-9#*]/u;
const joining =
  /\p{Script=Arabic}|\p{Script=Syriac}|\p{Script=Mongolian}|\p{Script=Devanagari}|\p{Script=Bengali}|\p{Script=Gurmukhi}|\p{Script=Gujarati}|\p{Script=Oriya}|\p{Script=Tamil}|\p{Script=Telugu}|\p{Script=Kannada}|\p{Script=Malayalam}|\p{Script=Sinhala}|\p{Script=Khmer}|\p{Script=Myanmar}|\p{Script=Tibetan}|\p{Script=Nko}/u;
const rightToLeft = /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Syriac}|\p{Script=Thaana}|\p{Script=Nko}/u;
const latinWord = /[A-Za-z]{2,}[\u0400-\u04ff\u0370-\u03ff][A-Za-z]*|[\u0400-\u04ff\u0370-\u03ff][A-Za-z]{2,}/u;
const homoglyphLetters = /[аеорсухіјѕԁһԛԝνοαρ]/u;

export function hiddenText(text: string): readonly Hidden[] {
  const found: Hidden[] = [];
  let line = 0;
  for (const content of text.split('\n')) {
    line++;
    const mixed = latinWord.exec(content)?.[0];
    if (mixed !== undefined && homoglyphLetters.test(mixed) && !/[\u0400-\u04ff]{3,}|[\u0370-\u03ff]{3,}/u.test(mixed))
      found.push({ line, kind: 'homoglyph', what: 'a word that mixes look-alike letters of two scripts', severity: 'medium' });
    if (!suspicious.test(content)) continue;
    found.push(...inLine(line === 1 ? content.replace(/^\ufeff/, '') : content, line));
  }
  return found;
}

function inLine(content: string, line: number): readonly Hidden[] {
  const chars = [...content];
  const kinds = new Map<Hidden['kind'], number>();
  const count = (kind: Hidden['kind']): void => void kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const isRightToLeft = rightToLeft.test(content);
  for (const [index, char] of chars.entries()) {
    const code = char.codePointAt(0) ?? 0;
    const before = chars[index - 1] ?? '';
    const after = chars[index + 1] ?? '';
    if (code >= 0xe0000 && code <= 0xe007f) {
      // Flags of regions (England, Scotland, Wales) are a black flag and tags, ended by a cancel tag.
      if (!isFlagTag(chars, index)) count('tag');
    } else if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) {
      const repeated = isVariation(before.codePointAt(0) ?? 0) || isVariation(after.codePointAt(0) ?? 0);
      if (repeated || (code >= 0xe0100 && !/\p{Script=Han}/u.test(before))) count('variation');
    } else if (code === 0x1b || code === 0x9b) count('escape');
    else if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) {
      // Isolates and embeddings are usual where right-to-left text stands; overrides are not.
      if (!isRightToLeft || code === 0x202d || code === 0x202e) count('bidi');
    } else if (code === 0x200e || code === 0x200f || code === 0x061c) {
      if (!isRightToLeft) count('zero-width');
    } else if (code === 0x200d || code === 0x200c) {
      const inEmoji = emoji.test(before) && emoji.test(after);
      const inScript = joining.test(before) || joining.test(after) || (isRightToLeft && code === 0x200c);
      if (!inEmoji && !inScript) count('zero-width');
    } else if (code !== 0xad && suspicious.test(char)) count('zero-width');
  }
  const names: Readonly<Record<Hidden['kind'], readonly [what: string, severity: Severity]>> = {
    'zero-width': ['invisible characters', 'high'],
    tag: ['invisible tag characters, which spell text that only a model reads', 'critical'],
    bidi: ['direction controls, which show text in another order than it is read', 'high'],
    escape: ['terminal escapes, which hide or rewrite what a person sees', 'medium'],
    variation: ['a run of variation selectors, which can carry hidden bytes', 'medium'],
    homoglyph: ['look-alike letters', 'medium'],
  };
  return [...kinds].map(([kind, times]) => ({ line, kind, what: `${names[kind][0]} (${times})`, severity: names[kind][1] }));
}

function isVariation(code: number): boolean {
  return (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef);
}

function isFlagTag(chars: readonly string[], index: number): boolean {
  for (let i = index - 1; i >= 0 && i >= index - 7; i--) {
    const code = chars[i]?.codePointAt(0) ?? 0;
    if (code === 0x1f3f4) return true;
    if (code < 0xe0020 || code > 0xe007f) return false;
  }
  return false;
}
