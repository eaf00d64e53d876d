// Rules that are regular expressions, read for the matcher that does not go back. What an expression says beyond that is not understood.
import { endsOf, everyPlace, type Pattern } from './match.ts';

/** Whether the expression matches somewhere in the text; `undefined` when it is not understood: too long, too costly, or beyond us. */
export function matchesExpression(source: string, text: string): boolean | undefined {
  if (source.length > 1000) return undefined;
  try {
    new RegExp(source);
  } catch {
    return false;
  }
  const pattern = new Reader(source).read();
  const ends = pattern === undefined ? undefined : endsOf(pattern, text, everyPlace(text));
  return ends === undefined ? undefined : ends.size > 0;
}

const openings: Readonly<Record<string, { readonly isBehind: boolean; readonly isNegated: boolean }>> = {
  '(?=': { isBehind: false, isNegated: false },
  '(?!': { isBehind: false, isNegated: true },
  '(?<=': { isBehind: true, isNegated: false },
  '(?<!': { isBehind: true, isNegated: true },
};

class Unknown extends Error {}

/** Reads what `RegExp` has accepted, so that it need not look for mistakes. */
class Reader {
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  read(): Pattern | undefined {
    try {
      const pattern = this.choice();
      return this.at === this.source.length ? pattern : undefined;
    } catch (error) {
      if (error instanceof Unknown) return undefined;
      throw error;
    }
  }

  /** What the source goes on with, taken off it. */
  private take(shape: RegExp): string | undefined {
    shape.lastIndex = this.at;
    const found = shape.exec(this.source)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private choice(): Pattern {
    const parts = [this.sequence()];
    while (this.take(/\|/y) !== undefined) parts.push(this.sequence());
    return { kind: 'choice', parts };
  }

  private sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.at < this.source.length && !/[|)]/.test(this.source[this.at] ?? '')) parts.push(this.repeated(this.atom()));
    return { kind: 'sequence', parts };
  }

  private repeated(body: Pattern): Pattern {
    const sign = this.take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (sign === undefined) return body;
    const [, least = '0', comma, most = ''] = /^\{(\d+)(,?)(\d*)\}/.exec(sign) ?? [];
    if (sign.startsWith('{'))
      return { kind: 'repeat', body, least: Number(least), most: comma === '' ? Number(least) : most === '' ? Infinity : Number(most) };
    return { kind: 'repeat', body, least: sign.startsWith('+') ? 1 : 0, most: sign.startsWith('?') ? 1 : Infinity };
  }

  private atom(): Pattern {
    const opening = this.take(/\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/y);
    if (opening !== undefined) {
      const body = this.choice();
      if (this.take(/\)/y) === undefined) throw new Unknown();
      const look = openings[opening];
      return look === undefined ? body : { kind: 'look', body, ...look };
    }
    if (this.take(/\^/y) !== undefined) return { kind: 'place', holds: (_text, at) => at === 0 };
    if (this.take(/\$/y) !== undefined) return { kind: 'place', holds: (text, at) => at === text.length };
    const border = this.take(/\\[bB]/y);
    if (border !== undefined) return { kind: 'place', holds: (text, at) => isBorder(text, at) === (border === '\\b') };
    // An earlier group once more, a character by its octal number, or flags for a part.
    if (this.take(/\\[k\d]|\(\?/y) !== undefined) throw new Unknown();
    const char = this.take(/\[(?:\\[^]|[^\]\\])*\]|\\(?:x[\da-f]{2}|u[\da-f]{4}|c[a-z]|[^])|[^]/iy) ?? '';
    // One character only, so nothing in it can repeat.
    const shape = new RegExp(`^${/^[{}\]]$/.test(char) ? '\\' : ''}${char}$`);
    return { kind: 'one', accepts: (one) => shape.test(one) };
  }
}

function isBorder(text: string, at: number): boolean {
  return /\w/.test(text[at - 1] ?? '') !== /\w/.test(text[at] ?? '');
}
