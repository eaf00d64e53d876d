// Cedar's values as the compiled evaluator and the questions use them, with their equality and their JSON form for cedar-wasm.
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';

export class EntityUid {
  readonly type: string;
  readonly id: string;
  /** Equal for equal uids. NUL separates, because `A::B` is both a type and the beginning of one. */
  readonly key: string;

  constructor(type: string, id: string) {
    this.type = type;
    this.id = id.toWellFormed();
    this.key = `${type}\0${this.id}`;
  }
}

/** An address or a range. */
export class Ip {
  readonly text: string;
  readonly version: 4 | 6;
  readonly bits: bigint;
  readonly prefix: number;

  constructor(text: string, version: 4 | 6, bits: bigint, prefix: number) {
    this.text = text;
    this.version = version;
    this.bits = bits;
    this.prefix = prefix;
  }

  isInRange(range: Ip): boolean {
    if (this.version !== range.version || this.prefix < range.prefix) return false;
    const rest = BigInt((this.version === 4 ? 32 : 128) - range.prefix);
    return this.bits >> rest === range.bits >> rest;
  }
}

/** A `datetime`, in milliseconds since 1970. */
export class Instant {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A `duration`, in milliseconds. */
export class Duration {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

export class RecordValue {
  readonly fields: Readonly<Record<string, Value>>;

  constructor(fields: Readonly<Record<string, Value>>) {
    this.fields = fields;
  }
}

/** A set is an array whose order and repetitions do not count. */
export type Value = boolean | number | string | EntityUid | Ip | Instant | Duration | RecordValue | readonly Value[];

/** Cedar's `==`: values of different types are unequal, never an error. */
export function isEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a instanceof EntityUid) return b instanceof EntityUid && a.key === b.key;
  if (a instanceof Ip) return b instanceof Ip && a.version === b.version && a.bits === b.bits && a.prefix === b.prefix;
  if (a instanceof Instant) return b instanceof Instant && a.ms === b.ms;
  if (a instanceof Duration) return b instanceof Duration && a.ms === b.ms;
  if (isSet(a)) return isSet(b) && a.every((x) => contains(b, x)) && b.every((x) => contains(a, x));
  if (!(a instanceof RecordValue) || !(b instanceof RecordValue)) return false;
  const [left, right] = [a.fields, b.fields];
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => {
      const [x, y] = [fieldOf(left, name), fieldOf(right, name)];
      return x !== undefined && y !== undefined && isEqual(x, y);
    })
  );
}

export function isSet(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function contains(set: readonly Value[], value: Value): boolean {
  return set.some((member) => isEqual(member, value));
}

export function fieldOf(fields: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function toJson(value: Value): CedarValueJson {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object') return value;
  if (isSet(value)) return value.map(toJson);
  if (value instanceof EntityUid) return { __entity: { type: value.type, id: value.id } };
  if (value instanceof Ip) return { __extn: { fn: 'ip', arg: value.text } };
  if (value instanceof Instant) return { __extn: { fn: 'datetime', arg: new Date(value.ms).toISOString() } };
  if (value instanceof Duration) return { __extn: { fn: 'duration', arg: `${value.ms}ms` } };
  return Object.fromEntries(Object.entries(value.fields).map(([name, field]) => [name, toJson(field)]));
}

/** `10.0.0.0/8`, `::1`; `undefined` for anything else, IPv4 inside IPv6 notation included, which Cedar does not take either. */
export function parseIp(text: string): Ip | undefined {
  const match = /^([0-9a-fA-F.:]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const address = match?.[1] ?? '';
  const isV4 = !address.includes(':');
  const bits = isV4 ? bitsOfV4(address) : bitsOfV6(address);
  const width = isV4 ? 32 : 128;
  const prefix = match?.[2] === undefined ? width : Number(match[2]);
  return bits === undefined || prefix > width ? undefined : new Ip(text, isV4 ? 4 : 6, bits, prefix);
}

function bitsOfV4(address: string): bigint | undefined {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function bitsOfV6(address: string): bigint | undefined {
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** The forms of RFC 3339 that Cedar takes: a date, or a time in UTC or with an offset. */
export function parseInstant(text: string): Instant | undefined {
  const form = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{3})?(?:Z|[+-]\d{4}))?$/;
  if (!form.test(text)) return undefined;
  const ms = Date.parse(
    text.replace(/([+-]\d{2})(\d{2})$/, (zone, hours: string, minutes: string) => (text.includes('T') ? `${hours}:${minutes}` : zone)),
  );
  return Number.isNaN(ms) ? undefined : new Instant(ms);
}

/** `1d2h3m4s5ms`, units once and in this order. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^(-?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (!match || !/\d/.test(text)) return undefined;
  const units = [86_400_000, 3_600_000, 60_000, 1000, 1];
  const ms = units.reduce((sum, unit, i) => sum + Number(match[i + 2] ?? 0) * unit, 0);
  return Number.isSafeInteger(ms) ? new Duration(match[1] === '-' ? -ms : ms) : undefined;
}
