// An entry as bytes: RFC 8785 canonical JSON, at most 65,535 bytes, so that it fits the length prefix of an entry bundle. Reading is
// strict: a field that this version does not know, a wrong type or a second way to write the same value is not an entry.
import { hash } from 'node:crypto';
import {
  classifications,
  type Entry,
  type EntryAction,
  type EntryBody,
  egressClasses,
  IntramurError,
  labels,
  perimeters,
  purposes,
} from '../core/index.ts';
import { canonicalJson, type JsonValue } from './canonical.ts';
import { maxEntryBytes } from './tile.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isHex: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isTime: Check = (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
const oneOf =
  (words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isDetail: Check = (value) =>
  isObject(value) &&
  Object.values(value).every((v) => typeof v === 'string' || typeof v === 'boolean' || Number.isFinite(v) || listOf(isText)(v));

// Complete by type: an action or a field added to core does not compile until it stands here.
const actions: Record<EntryAction, true> = {
  'llm.invoke': true,
  'http.request': true,
  'net.connect': true,
  'process.exec': true,
  'secret.use': true,
  'approval.decide': true,
  'session.open': true,
  'session.confine': true,
  'session.close': true,
  'daemon.start': true,
  'daemon.reload': true,
  'daemon.stop': true,
  'agent.ban': true,
  'agent.vet': true,
  'agent.pin': true,
  'agent.attest': true,
  'workspace.pin': true,
};

const fields: Record<keyof Entry, Check> = {
  index: isCount,
  time: isTime,
  action: (value) => typeof value === 'string' && Object.hasOwn(actions, value),
  session: isText,
  user: isText,
  agent: isText,
  purpose: oneOf(purposes),
  class: oneOf(egressClasses),
  host: isText,
  port: isCount,
  method: isText,
  path: isText,
  requestedModel: isText,
  provider: isText,
  perimeter: oneOf(perimeters),
  classification: oneOf(classifications),
  labels: listOf(oneOf(labels)),
  decision: oneOf(['allow', 'deny']),
  reason: isText,
  policies: listOf(isText),
  bytesOut: isCount,
  bytesIn: isCount,
  bodySha256: isHex,
  outcomeOf: isCount,
  status: isCount,
  detail: isDetail,
};

/** An entry and its bytes. Throws LEDGER_APPEND for what could not be read back. */
export function encodeEntry(index: number, time: Date, body: EntryBody): { readonly entry: Entry; readonly bytes: Buffer } {
  const entry: Entry = { ...body, index, time: time.toISOString() };
  const wrong = wrongField(entry);
  if (wrong !== undefined)
    throw new IntramurError('LEDGER_APPEND', `an entry cannot be recorded: its field ${JSON.stringify(wrong)} is not valid`);
  try {
    const bytes = Buffer.from(canonicalJson(ordered(entry)));
    if (bytes.length <= maxEntryBytes) return { entry, bytes };
    const shortened = Buffer.from(canonicalJson(shorten(toJson(entry))));
    if (shortened.length <= maxEntryBytes) return { entry: parseEntry(shortened, index), bytes: shortened };
  } catch (cause) {
    throw new IntramurError('LEDGER_APPEND', 'an entry has no canonical form', { cause });
  }
  throw new IntramurError('LEDGER_APPEND', 'an entry is longer than 65,535 bytes');
}

/**
 * The members in canonical order, so that nothing is left to sort. Complete by type; the order is only speed: what stands in another
 * one comes out right all the same.
 */
function ordered(entry: Entry): { readonly [name in keyof Required<Entry>]: JsonValue | undefined } {
  return {
    action: entry.action,
    agent: entry.agent,
    bodySha256: entry.bodySha256,
    bytesIn: entry.bytesIn,
    bytesOut: entry.bytesOut,
    class: entry.class,
    classification: entry.classification,
    decision: entry.decision,
    detail: entry.detail && sorted(entry.detail),
    host: entry.host,
    index: entry.index,
    labels: entry.labels,
    method: entry.method,
    outcomeOf: entry.outcomeOf,
    path: entry.path,
    perimeter: entry.perimeter,
    policies: entry.policies,
    port: entry.port,
    provider: entry.provider,
    purpose: entry.purpose,
    reason: entry.reason,
    requestedModel: entry.requestedModel,
    session: entry.session,
    status: entry.status,
    time: entry.time,
    user: entry.user,
  };
}

function sorted(detail: NonNullable<Entry['detail']>): NonNullable<Entry['detail']> {
  const members: Record<string, string | number | boolean | readonly string[]> = {};
  for (const name of Object.keys(detail).sort()) {
    if (name === '__proto__') return detail; // an own member of that name needs more than an assignment
    const member = detail[name];
    if (member !== undefined) members[name] = member;
  }
  return members;
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

function isEntry(value: object): value is Entry {
  return wrongField(value) === undefined;
}

const required: readonly (keyof Entry)[] = ['index', 'time', 'action'];

/** The first field that is missing, unknown or of the wrong type. */
function wrongField(value: object): string | undefined {
  for (const name of required) if (!Object.hasOwn(value, name)) return name;
  for (const [name, field] of Object.entries(value)) {
    if (!isField(name) || !(field === undefined || fields[name](field))) return name;
  }
  return undefined;
}

function isField(name: string): name is keyof Entry {
  return Object.hasOwn(fields, name);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
