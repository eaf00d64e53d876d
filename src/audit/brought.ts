// The configuration of ours that a repository brings along. It is untrusted: one that does not hold is left out and reported, and `run` does
// not start there.
import { maxConfigBytes } from '../config/index.ts';
import { product } from '../core/index.ts';
import { explain, join } from './load.ts';
import type { Tree } from './read/tree.ts';

export interface Brought {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** Says of a file's real path and bytes why it does not hold. */
export type CheckBrought = (file: string, bytes: Uint8Array) => string | undefined;

export function broughtFaults(tree: Tree, dirs: readonly string[], check: CheckBrought): readonly Brought[] {
  return [...new Set(dirs)].flatMap((dir): Brought[] => {
    const file = join(dir, `${product.name}.yaml`);
    if (tree.stat(file) === undefined) return [];
    const read = tree.read(file, maxConfigBytes);
    if (read.fault === 'missing') return [];
    if (read.fault !== undefined) return [{ file, line: 1, reason: explain(read.fault, maxConfigBytes) }];
    const said = check(tree.resolve(file) ?? file, read.bytes);
    return said === undefined ? [] : [{ file, ...lineAndReason(said) }];
  });
}

/** A fault of a configuration is `file:line:column: what`, perhaps with more lines. */
function lineAndReason(said: string): { readonly line: number; readonly reason: string } {
  const [first = ''] = said.split('\n');
  const [, line, reason] = /:(\d+):\d+: (.*)$/.exec(first) ?? [];
  return { line: Number(line ?? 1), reason: reason ?? first };
}
