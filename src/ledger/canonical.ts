// Canonical JSON after RFC 8785 (JCS): one value, one byte string, so that an entry can be compared and hashed by its bytes.

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** Members with the value `undefined` are left out. Throws TypeError for what JSON cannot say exactly. */
export function canonicalJson(value: JsonValue): string {
  if (isInOrder(value)) {
    const text = JSON.stringify(value);
    // The engine writes a lone surrogate as this escape, and so does any text that spells it out; the slow way tells them apart.
    if (!text.includes('\\ud')) return text;
  }
  try {
    return JSON.stringify(ordered(value));
  } catch (fault) {
    if (fault !== indexKey) throw fault;
    return assembled(value);
  }
}

/** True when the engine's own serialiser would write the canonical form but for lone surrogates: nothing to sort, to drop or to refuse. */
function isInOrder(value: JsonValue): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'string' || typeof value === 'boolean' || value === null;
  if (isList(value)) return value.every(isInOrder);
  let last = '';
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    // A key that begins with a digit may be an array index, which the engine puts first whatever the order.
    if (key < last || (key >= '0' && key < ':') || !isInOrder(member)) return false;
    last = key;
  }
  return true;
}

/** JavaScript enumerates keys that are array indices first and by number, which is not the order of RFC 8785. */
const indexKey = new RangeError('a key is an array index');

/** The same value with members in canonical order, for the engine's own serialiser. Throws `indexKey` where that would reorder them. */
function ordered(value: JsonValue | undefined): JsonValue {
  if (typeof value === 'object' && value !== null) {
    if (isList(value)) return value.map(ordered);
    const members: Record<string, JsonValue> = {};
    for (const key of Object.keys(value).sort()) {
      const member = value[key];
      if (member === undefined) continue;
      if (key >= '0' && key < ':' && /^\d+$/.test(key)) throw indexKey;
      if (key === '__proto__') throw indexKey; // an own member of that name needs more than an assignment
      members[wellFormed(key)] = ordered(member);
    }
    return members;
  }
  return primitive(value);
}

function assembled(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(primitive(value));
  if (isList(value)) return `[${value.map(assembled).join(',')}]`;
  const members: string[] = [];
  // The default sort compares UTF-16 code units, which is the order of RFC 8785 section 3.2.3.
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(wellFormed(key))}:${assembled(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** ECMAScript's own form of numbers and strings is the one that RFC 8785 asks for (sections 3.2.2.2 and 3.2.2.3). */
function primitive(value: JsonValue | undefined): null | boolean | number | string {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value !== 'number') throw new TypeError(`a ${typeof value} has no JSON form`);
  if (!Number.isFinite(value)) throw new TypeError('a number is not finite');
  return value;
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a string holds a lone surrogate');
  return text;
}

function isList(value: readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined }): value is readonly JsonValue[] {
  return Array.isArray(value);
}
