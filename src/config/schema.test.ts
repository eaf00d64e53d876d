import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../core/index.ts';
import { configSchema } from './index.ts';
import type { JsonSchema } from './validate.ts';

function* keysOf(schema: JsonSchema): Generator<string> {
  for (const [key, child] of Object.entries(schema.properties ?? {})) yield* [key, ...keysOf(child)];
  if (schema.items) yield* keysOf(schema.items);
  if (schema.additionalProperties) yield* keysOf(schema.additionalProperties);
}

it('every key is in the documentation', () => {
  const text = readFileSync(path.join(packageRoot(), 'docs', 'configuration.md'), 'utf8');
  const words = new Set(text.match(/[A-Za-z0-9]+/g));
  expect([...new Set(keysOf(configSchema))].filter((key) => !words.has(key))).toEqual([]);
});

it('closes every map to unknown keys', () => {
  const open: string[] = [];
  const walk = (schema: JsonSchema, at: string): void => {
    if (schema.type === 'object' && schema.additionalProperties === undefined) open.push(at);
    for (const [key, child] of Object.entries(schema.properties ?? {})) walk(child, `${at}.${key}`);
    if (schema.items) walk(schema.items, `${at}[]`);
    if (schema.additionalProperties) walk(schema.additionalProperties, `${at}.*`);
  };
  walk(configSchema, '');
  expect(open).toEqual([]);
});
