// Settings that are plain numbers, in every dialect under another name.
import { type JsonObject, numberOf } from '../json.ts';
import type { Settings } from './request.ts';

/** Numeric settings by the dialect's own names. */
export function numbers(object: JsonObject, fields: Readonly<Record<string, keyof Settings>>): Settings {
  const found = Object.entries(fields).flatMap(([field, setting]) => {
    const value = numberOf(object[field]);
    return value === undefined ? [] : [[setting, value] as const];
  });
  return Object.fromEntries(found);
}
