// Canonical JSON after RFC 8785 (JCS): one value, one byte string, so that an entry can be compared and hashed by its bytes.

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** Members with the value `undefined` are left out. Throws TypeError for what JSON cannot say exactly. */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('a number is not finite');
    return JSON.stringify(value); // ECMAScript's own form is the one RFC 8785 section 3.2.2.3 asks for
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('a string holds a lone surrogate');
    return JSON.stringify(value);
  }
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} has no JSON form`);
  const members: string[] = [];
  // The default sort compares UTF-16 code units, which is the order of RFC 8785 section 3.2.3.
  for (const key of Object.keys(value).toSorted()) {
    const member = value[key];
    if (member !== undefined) members.push(`${canonicalJson(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

function isList(value: readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined }): value is readonly JsonValue[] {
  return Array.isArray(value);
}
