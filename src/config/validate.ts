// A validator for the subset of JSON Schema 2020-12 that schema.ts uses. A library would bring 100 kB and messages without
// line, column and nearest key; these are the messages that a person with a typo reads.
import { assertNever, nearest } from '../core/index.ts';
import type { Located } from './located.ts';
import { printable } from './located.ts';

export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string | number | boolean | readonly string[];
  /** What a value that fails `pattern` should look like. The value itself is never quoted: it may be a key pasted by mistake. */
  readonly 'x-expected'?: string;
}

export interface Issue {
  readonly at: number;
  readonly message: string;
}

/** All that is wrong with `node`, in the order of the file. `path` is how messages name it; empty for the whole file. */
export function validate(schema: JsonSchema, node: Located, path = ''): Issue[] {
  const subject = path === '' ? 'the file' : path;
  if (schema.type !== undefined && typeOf(node, schema.type) !== schema.type) {
    return [{ at: node.at, message: `${subject} must be ${articleFor(schema.type)}${quoteHint(schema, node)}` }];
  }
  switch (node.kind) {
    case 'map':
      return validateMap(schema, node, path, subject);
    case 'list':
      return validateList(schema, node, path, subject);
    case 'scalar':
      return validateScalar(schema, node, subject);
    default:
      return assertNever(node);
  }
}

function validateMap(schema: JsonSchema, node: Located & { kind: 'map' }, path: string, subject: string): Issue[] {
  const issues: Issue[] = [];
  const known = schema.properties ?? {};
  for (const [key, { keyAt, value }] of node.entries) {
    const shown = JSON.stringify(printable(key, 40));
    const child = Object.hasOwn(known, key) ? known[key] : schema.additionalProperties;
    if (!child) {
      const meant = nearest(key, Object.keys(known));
      const place = path === '' ? 'at the top level' : `in ${path}`;
      issues.push({ at: keyAt, message: `unknown key ${shown} ${place}${meant ? `; did you mean "${meant}"?` : knownKeys(known)}` });
      continue;
    }
    const named = schema.propertyNames?.pattern;
    if (named !== undefined && !new RegExp(named, 'u').test(key)) {
      issues.push({ at: keyAt, message: `key ${shown} in ${subject} must be ${schema.propertyNames?.['x-expected'] ?? 'another name'}` });
      continue;
    }
    issues.push(...validate(child, value, childPath(path, key)));
  }
  if (schema.maxProperties !== undefined && node.entries.size > schema.maxProperties) {
    issues.push({ at: node.at, message: `${subject} has more than ${schema.maxProperties} keys` });
  }
  for (const key of schema.required ?? []) {
    if (!node.entries.has(key)) issues.push({ at: node.at, message: `${subject} lacks the key "${key}"` });
  }
  return issues;
}

function validateList(schema: JsonSchema, node: Located & { kind: 'list' }, path: string, subject: string): Issue[] {
  const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (node.items.length < minItems) return [{ at: node.at, message: `${subject} must not be empty` }];
  if (node.items.length > maxItems) return [{ at: node.at, message: `${subject} has more than ${maxItems} items` }];
  return items ? node.items.flatMap((item, i) => validate(items, item, `${path}[${i}]`)) : [];
}

function validateScalar(schema: JsonSchema, node: Located & { kind: 'scalar' }, subject: string): Issue[] {
  const issue = (message: string): Issue[] => [{ at: node.at, message: `${subject} ${message}` }];
  const { value } = node;
  if (typeof value === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
    if (!Number.isFinite(value) || value < minimum || value > maximum) return issue(`must be from ${minimum} to ${maximum}`);
  }
  if (typeof value !== 'string') return [];
  if (schema.enum && !schema.enum.includes(value)) {
    const meant = nearest(value, schema.enum);
    const words = schema.enum.map((word) => `"${word}"`).join(', ');
    return issue(meant ? `does not know ${JSON.stringify(printable(value, 40))}; did you mean "${meant}"?` : `must be one of ${words}`);
  }
  if (schema.maxLength !== undefined && value.length > schema.maxLength) return issue(`is longer than ${schema.maxLength} characters`);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
    return issue(`must be ${schema['x-expected'] ?? 'written otherwise'}`);
  return [];
}

function typeOf(node: Located, wanted: JsonSchema['type']): JsonSchema['type'] | 'null' {
  if (node.kind === 'map') return 'object';
  if (node.kind === 'list') return 'array';
  const { value } = node;
  if (value === null) return 'null';
  if (typeof value === 'number') return wanted === 'integer' && Number.isSafeInteger(value) ? 'integer' : 'number';
  return typeof value === 'string' ? 'string' : 'boolean';
}

function articleFor(type: NonNullable<JsonSchema['type']>): string {
  const names = {
    object: 'a map of keys',
    array: 'a list',
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
  } as const;
  return names[type];
}

function quoteHint(schema: JsonSchema, node: Located): string {
  return schema.type === 'string' && node.kind === 'scalar' && node.value !== null ? ' (put it in quotes)' : '';
}

function knownKeys(known: Readonly<Record<string, JsonSchema>>): string {
  const keys = Object.keys(known);
  return keys.length > 0 ? `; known keys: ${keys.join(', ')}` : '';
}

function childPath(path: string, key: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return `${path}[${JSON.stringify(printable(key, 40))}]`;
  return path === '' ? key : `${path}.${key}`;
}
