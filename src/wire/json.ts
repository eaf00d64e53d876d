// JSON of a hostile sender, read strictly (RFC 8259), so that what we judge is what any upstream's parser will see: valid UTF-8,
// no key twice in one object, bounded depth. JSON.parse alone keeps the last of two equal keys where other parsers keep the first.
import { IntramurError } from '../core/index.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Half-open byte range of a value in its document. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Deeper than any tool schema that was seen, shallow enough that no recursive reader behind us runs out of stack. */
export const maxDepth = 256;

const quote = 0x22;
const backslash = 0x5c;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses the body of a call: one JSON object. Throws `DIALECT_INVALID`, or `INSPECT_LIMIT` when it is nested too deeply. */
export function parseDocument(bytes: Uint8Array): JsonObject {
  const written = keysWritten(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const value = parseText(bytes);
  if (!isObject(value)) throw new IntramurError('DIALECT_INVALID', 'the body is not a JSON object');
  // Of two equal keys JSON.parse keeps one.
  if (keysIn(value) !== written || hasRepeats(Object.keys(value).map(folded))) throw twice();
  return value;
}

function twice(): IntramurError {
  return new IntramurError('DIALECT_INVALID', 'an object of the body has the same key twice');
}

function parseText(bytes: Uint8Array): Json {
  try {
    return JSON.parse(utf8.decode(bytes)) as Json;
  } catch {
    // The parser's own message quotes the body, so it is not passed on.
    throw new IntramurError('DIALECT_INVALID', 'the body is not JSON in UTF-8');
  }
}

/** Text that comes from an upstream: `undefined` when it is not JSON. */
export function parseLenient(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** How many members the objects of a text have, as it is written. It assumes well-formed JSON; JSON.parse, which follows, refuses all else. */
function keysWritten(bytes: Buffer): number {
  let keys = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote:
        at = endOfString(bytes, at) - 1;
        break;
      case 0x3a: // :
        keys += 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (depth === maxDepth) throw new IntramurError('INSPECT_LIMIT', `the body is nested deeper than ${maxDepth} levels`);
        depth += 1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
      default:
    }
  }
  return keys;
}

/** How many members the objects of a value have. Throws where a parser that repairs lone surrogates would take two keys for one. */
function keysIn(value: Json | undefined): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (!isObject(value)) {
    for (const item of value) count += keysIn(item);
    return count;
  }
  const keys = Object.keys(value);
  if (!keys.every((key) => key.isWellFormed()) && hasRepeats(keys.map((key) => key.toWellFormed()))) throw twice();
  for (const key of keys) count += 1 + keysIn(value[key]);
  return count;
}

/**
 * Go's encoding/json matches `Model` and `ſtream` too, so `{"model":"a","Model":"b"}` means one thing here and another there. This
 * counts at the top, where `model` and `stream` stand.
 */
function folded(key: string): string {
  return /^[\0-\x7f]*$/.test(key) ? key.toLowerCase() : key.toUpperCase().toLowerCase();
}

function hasRepeats(keys: readonly string[]): boolean {
  return new Set(keys).size < keys.length;
}

/**
 * Where the string values of the outermost object stand, quotes included, by key; the last of two that are equal. INVARIANT: the text
 * was read by `parseDocument`.
 */
export function topLevelStrings(bytes: Uint8Array): ReadonlyMap<string, Span> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strings = new Map<string, Span>();
  let depth = 0;
  let key: string | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case quote: {
        const end = endOfString(text, at);
        if (depth === 1 && key === undefined) key = stringOf(parseLenient(text.toString('utf8', at, end))) ?? '';
        else if (depth === 1 && key !== undefined) strings.set(key, { start: at, end });
        at = end - 1;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
      case 0x2c: // ,
        if (depth === 1) key = undefined;
        break;
      default:
    }
  }
  return strings;
}

/** Offset just after the string that starts at `start`. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  if (at >= bytes.length) throw new IntramurError('DIALECT_INVALID', 'the body is not JSON in UTF-8');
  return at + 1;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectOf(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The list, or an empty one. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The objects of a list. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return listOf(value).filter(isObject);
}

export function stringOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function encode(value: Json): Buffer {
  return Buffer.from(JSON.stringify(value));
}
