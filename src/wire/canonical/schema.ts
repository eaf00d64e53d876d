// JSON Schema between vendors whose grammars take different parts of it.
import { isObject, type Json, type JsonObject, listOf, objectOf } from '../json.ts';

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const inner = new Set(['items', 'anyOf', 'allOf', 'oneOf', 'not']);
const named = new Set(['properties', '$defs', 'definitions']);

function mapSchemas(schema: JsonObject, map: (inner: JsonObject) => JsonObject): JsonObject {
  const each = (value: Json | undefined): Json | undefined =>
    Array.isArray(value) ? (value as readonly Json[]).map((one) => (isObject(one) ? map(one) : one)) : isObject(value) ? map(value) : value;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (inner.has(key)) return [key, each(value)];
      const members = named.has(key) ? objectOf(value) : undefined;
      return [key, members ? Object.fromEntries(Object.entries(members).map(([name, member]) => [name, each(member)])) : value];
    }),
  );
}

/** OpenAI takes a schema as `strict` only when every object is closed and requires all that it names; else the call is an error. */
export function canBeStrict(schema: JsonObject): boolean {
  let can = true;
  const look = (at: JsonObject): JsonObject => {
    const properties = objectOf(at['properties']);
    if (properties || at['type'] === 'object') {
      const required = new Set(listOf(at['required']));
      can &&= at['additionalProperties'] === false && Object.keys(properties ?? {}).every((name) => required.has(name));
    }
    return mapSchemas(at, look);
  };
  look(schema);
  return can;
}

/** Bounds that Anthropic's grammar does not have; a schema with one of them is an error there. */
const unbounded = new Set([
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'maxItems', 'uniqueItems'],
  ...['minProperties', 'maxProperties'],
]);

/** An answer's schema as Anthropic takes it: objects closed, without bounds. `isLoose` when bounds were lost. */
export function closedSchema(schema: JsonObject): { readonly schema: JsonObject; readonly isLoose: boolean } {
  let isLoose = false;
  const close = (at: JsonObject): JsonObject => {
    const kept = Object.entries(at).filter(([key, value]) => !unbounded.has(key) && !(key === 'minItems' && value !== 0 && value !== 1));
    isLoose ||= kept.length < Object.keys(at).length;
    const isObjectSchema = at['type'] === 'object' || objectOf(at['properties']) !== undefined;
    const closed = isObjectSchema && at['additionalProperties'] === undefined ? { additionalProperties: false } : {};
    return mapSchemas({ ...Object.fromEntries(kept), ...closed }, close);
  };
  return { schema: close(schema), isLoose };
}
