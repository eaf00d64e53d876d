// Which changes of a layer were already applied or discarded. One JSON line each, appended after the fact: what is missing because
// the machine stopped in between shows up in the next `diff` again, or is found equal there.
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Layer } from './manifest.ts';

const fileOf = (layer: Layer): string => path.join(layer.directory, 'settled.jsonl');

export function readSettled(layer: Layer): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(fileOf(layer), 'utf8');
  } catch {
    return new Set();
  }
  return new Set(
    text.split('\n').flatMap((line) => {
      try {
        const value: unknown = JSON.parse(line);
        return typeof value === 'string' ? [value] : [];
      } catch {
        return []; // a line that was cut short
      }
    }),
  );
}

export function settle(layer: Layer, paths: readonly string[]): void {
  if (paths.length > 0) appendFileSync(fileOf(layer), paths.map((one) => `${JSON.stringify(one)}\n`).join(''), { mode: 0o600 });
}
