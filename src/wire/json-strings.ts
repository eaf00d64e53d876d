// Where the strings of a JSON text stand, so that one of them can be changed and every other byte stays as it was written.

export type JsonPath = readonly (string | number)[];

export interface JsonString {
  /** Keys and indices from the outermost value; for a key, the path of its object. */
  readonly path: JsonPath;
  readonly isKey: boolean;
  /** Half-open byte range between the quotes. */
  readonly start: number;
  readonly end: number;
}

interface Level {
  readonly isObject: boolean;
  key: string;
  index: number;
  readonly start: number;
}

const quote = 0x22;
const backslash = 0x5c;

/** In the order of the text. INVARIANT: the text is well-formed JSON; of anything else the positions mean nothing. */
export function* jsonStrings(bytes: Buffer): Generator<JsonString> {
  for (const part of partsOf(bytes)) if (part.kind !== 'list') yield { ...part, isKey: part.kind === 'key' };
}

/** Where the lists stand, brackets included; an inner one before the one that holds it. */
export function* jsonLists(bytes: Buffer): Generator<Pick<JsonString, 'path' | 'start' | 'end'>> {
  for (const part of partsOf(bytes)) if (part.kind === 'list') yield part;
}

interface Part {
  readonly kind: 'key' | 'string' | 'list';
  readonly path: JsonPath;
  readonly start: number;
  readonly end: number;
}

function* partsOf(bytes: Buffer): Generator<Part> {
  const levels: Level[] = [];
  let isKeyNext = false;
  const path = (depth: number): JsonPath => levels.slice(0, depth).map(({ isObject, key, index }) => (isObject ? key : index));
  for (let at = 0; at < bytes.length; at++) {
    const level = levels[levels.length - 1];
    switch (bytes[at]) {
      case quote: {
        const start = at + 1;
        for (at = start; at < bytes.length && bytes[at] !== quote; at++) if (bytes[at] === backslash) at++;
        const end = Math.min(at, bytes.length);
        if (isKeyNext && level) {
          yield { kind: 'key', path: path(levels.length - 1), start, end };
          level.key = textOf(bytes, { start, end }) ?? '';
          isKeyNext = false;
        } else yield { kind: 'string', path: path(levels.length), start, end };
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        isKeyNext = bytes[at] === 0x7b;
        levels.push({ isObject: isKeyNext, key: '', index: 0, start: at });
        break;
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop();
        isKeyNext = false;
        if (level && !level.isObject) yield { kind: 'list', path: path(levels.length), start: level.start, end: at + 1 };
        break;
      case 0x2c: // ,
        isKeyNext = level?.isObject === true;
        if (level) level.index++;
        break;
      default:
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a run between two quotes says; `undefined` when it is no whole piece of a JSON string. */
export function textOf(bytes: Buffer, { start, end }: Pick<JsonString, 'start' | 'end'>): string | undefined {
  try {
    const text: unknown = JSON.parse(`"${utf8.decode(bytes.subarray(start, end))}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The text as it stands between two quotes. */
export function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
