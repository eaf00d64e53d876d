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
  topLevelStrings(bytes);
  const value = parseText(bytes);
  if (!isObject(value)) throw new IntramurError('DIALECT_INVALID', 'the body is not a JSON object');
  return value;
}

/**
 * Where the string values of the outermost object stand, quotes included, by key. Throws for keys that occur twice and for depth;
 * other faults of the JSON are `parseDocument`'s to find.
 */
export function topLevelStrings(bytes: Uint8Array): ReadonlyMap<string, Span> {
  return scan(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
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

interface Container {
  /** Keys seen so far; `undefined` for an array. */
  readonly keys: Set<string> | undefined;
}

/**
 * One pass over the bytes for what JSON.parse does not tell: keys that occur twice, depth, and where top-level strings stand.
 * It assumes well-formed JSON; JSON.parse, which follows, refuses everything else.
 */
function scan(bytes: Buffer): Map<string, Span> {
  const strings = new Map<string, Span>();
  const stack: Container[] = [];
  let isKeyNext = false;
  let topKey = '';
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote: {
        const end = endOfString(bytes, at);
        if (isKeyNext) {
          isKeyNext = false;
          const key = keyText(bytes, at, end, stack.length === 1);
          const { keys } = stack[stack.length - 1] ?? {};
          if (keys?.has(key)) throw new IntramurError('DIALECT_INVALID', 'an object of the body has the same key twice');
          keys?.add(key);
          topKey = stack.length === 1 ? (JSON.parse(bytes.toString('utf8', at, end)) as string) : topKey;
        } else if (stack.length === 1 && stack[0]?.keys) {
          strings.set(topKey, { start: at, end });
        }
        at = end - 1;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        if (stack.length === maxDepth) throw new IntramurError('INSPECT_LIMIT', `the body is nested deeper than ${maxDepth} levels`);
        isKeyNext = bytes[at] === 0x7b;
        stack.push({ keys: isKeyNext ? new Set() : undefined });
        break;
      case 0x7d: // }
      case 0x5d: // ]
        stack.pop();
        isKeyNext = false;
        break;
      case 0x2c: // ,
        isKeyNext = stack[stack.length - 1]?.keys !== undefined;
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

/**
 * A key in the form in which keys are compared. At the top, where `model` and `stream` stand, letter case is folded as well:
 * Go's encoding/json matches `Model` and `ſtream` too, so `{"model":"a","Model":"b"}` means one thing here and another there.
 */
function keyText(bytes: Buffer, start: number, end: number, isTop: boolean): string {
  const hasEscape = bytes.subarray(start, end).includes(backslash);
  if (!hasEscape && !isTop) return bytes.toString('latin1', start + 1, end - 1);
  const text = parseLenient(bytes.toString('utf8', start, end));
  if (typeof text !== 'string') throw new IntramurError('DIALECT_INVALID', 'the body is not JSON in UTF-8');
  return isTop ? text.toUpperCase().toLowerCase() : Buffer.from(text).toString('latin1');
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
