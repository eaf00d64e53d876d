// The fields of an entry and what may stand in each: the writer and the reader ask the same table, so that nothing can be recorded that
// could not be read back.
import { classifications, type Entry, type EntryAction, egressClasses, labels, perimeters, purposes } from '../core/index.ts';

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
    Array.isArray(value) && everyMember(value, check);
const isTexts = listOf(isText);
const isDetail: Check = (value) => {
  // What has a form of its own in JSON, as a date has, would not be recorded as its members.
  if (!isObject(value) || Object.getPrototypeOf(value)?.toJSON !== undefined) return false;
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (typeof member !== 'string' && typeof member !== 'boolean' && !Number.isFinite(member) && !isTexts(member)) return false;
  }
  return true;
};

/** `every` would pass over what a list only leaves free, which JSON calls null. */
function everyMember(list: readonly unknown[], check: Check): boolean {
  for (let i = 0; i < list.length; i += 1) if (!check(list[i])) return false;
  return true;
}

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
  'ledger.resume': true,
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
  policies: isTexts,
  bytesOut: isCount,
  bytesIn: isCount,
  bodySha256: isHex,
  outcomeOf: isCount,
  status: isCount,
  detail: isDetail,
};

/** The members of an entry in canonical order, so that nothing is left to sort but in `detail`. Complete by type. */
export type Ordered = { readonly [name in keyof Required<Entry>]: Entry[name] | undefined };

/** Each field checked and put in its place in one walk, because every act waits for it. `undefined` when `wrongField` names one. */
export function ordered(entry: Entry): Ordered | undefined {
  if (entry.action === undefined) return undefined;
  for (const name of Object.keys(entry)) if (!known.has(name)) return undefined;
  try {
    return {
      action: valid(fields.action, entry.action),
      agent: valid(fields.agent, entry.agent),
      bodySha256: valid(fields.bodySha256, entry.bodySha256),
      bytesIn: valid(fields.bytesIn, entry.bytesIn),
      bytesOut: valid(fields.bytesOut, entry.bytesOut),
      class: valid(fields.class, entry.class),
      classification: valid(fields.classification, entry.classification),
      decision: valid(fields.decision, entry.decision),
      detail: valid(fields.detail, entry.detail),
      host: valid(fields.host, entry.host),
      index: valid(fields.index, entry.index),
      labels: valid(fields.labels, entry.labels),
      method: valid(fields.method, entry.method),
      outcomeOf: valid(fields.outcomeOf, entry.outcomeOf),
      path: valid(fields.path, entry.path),
      perimeter: valid(fields.perimeter, entry.perimeter),
      policies: valid(fields.policies, entry.policies),
      port: valid(fields.port, entry.port),
      provider: valid(fields.provider, entry.provider),
      purpose: valid(fields.purpose, entry.purpose),
      reason: valid(fields.reason, entry.reason),
      requestedModel: valid(fields.requestedModel, entry.requestedModel),
      session: valid(fields.session, entry.session),
      status: valid(fields.status, entry.status),
      time: valid(fields.time, entry.time),
      user: valid(fields.user, entry.user),
    };
  } catch (fault) {
    if (fault !== invalid) throw fault;
    return undefined;
  }
}

const known: ReadonlySet<string> = new Set(Object.keys(fields));
const invalid = new TypeError('a field of an entry is not valid');

function valid<T>(check: Check, value: T): T {
  if (value !== undefined && !check(value)) throw invalid;
  return value;
}

type Unchecked = { readonly [name in keyof Entry]?: unknown };

export function isEntry(value: Unchecked): value is Entry {
  return wrongField(value) === undefined;
}

const required: readonly (keyof Entry)[] = ['index', 'time', 'action'];

/** The first field that is missing, unknown or of the wrong type. */
export function wrongField(value: Unchecked): string | undefined {
  for (const name of required) if (!Object.hasOwn(value, name) || value[name] === undefined) return name;
  for (const [name, field] of Object.entries(value)) {
    if (!isField(name) || !(field === undefined || fields[name](field))) return name;
  }
  return undefined;
}

function isField(name: string): name is keyof Entry {
  return Object.hasOwn(fields, name);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
