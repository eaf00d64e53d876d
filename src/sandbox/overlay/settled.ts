// Which changes of a layer were already applied or discarded. One JSON line each, appended after the fact: what is missing because
// the machine stopped in between shows up in the next `diff` again, or is found equal there.
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { holderName, type Layer, manifestName } from './manifest.ts';

const settledName = 'settled.jsonl';
const sameName = 'same.jsonl';
/** All that is kept beside a layer, but for the journal of an `apply` that has not ended. */
export const noteNames = [settledName, sameName, holderName, manifestName];

export const readSettled = (layer: Layer): ReadonlySet<string> => pathsIn(path.join(layer.directory, settledName));

/** What was once seen to be in the workspace as it is in the layer: there is nothing to bring, whatever becomes of it there. */
export const readSame = (layer: Layer): ReadonlySet<string> => pathsIn(path.join(layer.directory, sameName));

/** INVARIANT: only of a layer that nobody writes to any more. */
export function noteSame(layer: Layer, paths: readonly string[]): void {
  try {
    append(path.join(layer.directory, sameName), paths);
  } catch {
    // Whoever may only read sees the same, this time.
  }
}

function pathsIn(file: string): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
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
  append(path.join(layer.directory, settledName), paths);
}

function append(file: string, paths: readonly string[]): void {
  if (paths.length > 0) appendFileSync(file, paths.map((one) => `${JSON.stringify(one)}\n`).join(''), { mode: 0o600 });
}
