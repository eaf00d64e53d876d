// An entry as bytes: RFC 8785 canonical JSON, at most 65,535 bytes, so that it fits the length prefix of an entry bundle. Reading is
// strict: a field that this version does not know, a wrong type or a second way to write the same value is not an entry.
import { hash } from 'node:crypto';
import { type Entry, type EntryBody, IntramurError } from '../core/index.ts';
import { canonicalJson, type JsonValue } from './canonical.ts';
import { isEntry, isObject, type Ordered, ordered, wrongField } from './entry-fields.ts';
import { timeText } from './entry-time.ts';
import { maxEntryBytes } from './tile.ts';

export interface EncodedEntry {
  readonly entry: Entry;
  /** Its bytes are the UTF-8 form, at most 65,535. */
  readonly text: string;
}

/** An entry and its canonical text. Throws LEDGER_APPEND for what could not be read back. */
export function encodeEntry(index: number, time: Date, body: EntryBody): EncodedEntry {
  const entry: Entry = { ...body, index, time: timeText(time) };
  const members = ordered(entry);
  if (members === undefined)
    throw new IntramurError('LEDGER_APPEND', `an entry cannot be recorded: its field ${JSON.stringify(wrongField(entry))} is not valid`);
  try {
    const text = canonicalText(members);
    if (fits(text)) return { entry, text };
    const shortened = canonicalJson(shorten(toJson(entry)));
    if (fits(shortened)) return { entry: parseEntry(Buffer.from(shortened), index), text: shortened };
  } catch (cause) {
    throw new IntramurError('LEDGER_APPEND', 'an entry has no canonical form', { cause });
  }
  throw new IntramurError('LEDGER_APPEND', 'an entry is longer than 65,535 bytes');
}

/** What `canonicalJson` gives, which also says whatever is not plain to see: the members are in order, and no list holds anything but text. */
function canonicalText(members: Ordered): string {
  const detail = members.detail && inOrder(members.detail);
  if (detail === null) return canonicalJson(members);
  const text = JSON.stringify(detail === members.detail ? members : { ...members, detail });
  // A lone surrogate, which the engine writes as an escape, or text that spells one.
  return text.includes('\\ud') ? canonicalJson(members) : text;
}

type Detail = NonNullable<Entry['detail']>;

/** The members in canonical order, themselves when they are; `null` where an object that is made anew would not keep it. */
function inOrder(detail: Detail): Detail | null {
  const names = Object.keys(detail);
  let isSorted = true;
  let last = '';
  for (const name of names) {
    // What begins with a digit may be an array index, which the engine puts first whatever the order.
    if ((name >= '0' && name < ':') || name === '__proto__') return null;
    if (name < last) isSorted = false;
    last = name;
  }
  if (isSorted) return detail;
  const members: Record<string, Detail[string]> = {};
  for (const name of names.sort()) {
    const member = detail[name];
    if (member !== undefined) members[name] = member;
  }
  return members;
}

/** No unit of UTF-16 needs more than three bytes of UTF-8, which settles it for nearly every entry. */
function fits(text: string): boolean {
  return text.length * 3 <= maxEntryBytes || Buffer.byteLength(text) <= maxEntryBytes;
}

/** Reads the entry at `index`; throws LEDGER_CORRUPT unless the bytes are exactly what `encodeEntry` writes. */
export function parseEntry(bytes: Uint8Array, index: number): Entry {
  const value = parseCanonical(bytes);
  if (value === undefined) throw corrupt(index, 'is not canonical JSON');
  if (!isEntry(value)) throw corrupt(index, `has an invalid field ${JSON.stringify(wrongField(value))}`);
  if (value.index !== index) throw corrupt(index, `says that it is entry ${value.index}`);
  return value;
}

/** The object that the bytes are the canonical JSON of; `undefined` when they are not. */
export function parseCanonical(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    const isCanonical = isObject(value) && Buffer.compare(Buffer.from(canonicalJson(toJson(value))), bytes) === 0;
    return isCanonical ? value : undefined;
  } catch {
    return undefined;
  }
}

function toJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (!isObject(value)) throw new TypeError(`a ${typeof value} has no JSON form`);
  const members: [string, JsonValue][] = [];
  for (const [key, member] of Object.entries(value)) if (member !== undefined) members.push([key, toJson(member)]);
  return Object.fromEntries(members);
}

/** What is too long to record stands there by its beginning, its length and its hash. */
function shorten(value: JsonValue): JsonValue {
  if (typeof value === 'string' && value.length > 512) {
    const bytes = Buffer.from(value);
    return `${value.slice(0, 128).toWellFormed()}… (${bytes.length} bytes, sha256:${hash('sha256', bytes)})`;
  }
  if (Array.isArray(value)) return value.map(shorten);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shorten(toJson(member))]));
  return value;
}

function corrupt(index: number, what: string): IntramurError {
  return new IntramurError('LEDGER_CORRUPT', `ledger entry ${index} ${what}`);
}
