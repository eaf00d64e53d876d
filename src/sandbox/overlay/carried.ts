// A rename is two changes: one takes a content away, another brings it under a new name. Here is which changes bring what others would
// take away, so that `apply` never does the one half without the other.
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, lstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { Change } from './change.ts';
import { alike, type Like } from './likeness.ts';
import type { Layer } from './manifest.ts';

/** @returns for each path whose content in the workspace would go, the paths that would get the same content; only where there are some */
export function carriersOf(layer: Layer, changes: readonly Change[]): ReadonlyMap<string, readonly string[]> {
  const isWrite = ({ change }: Change): boolean => change === 'added' || change === 'modified';
  const brought = filesOf(
    layer.upper,
    changes.filter((change) => isWrite(change) && change.node === 'file'),
  );
  const taken = filesOf(
    layer.manifest.workspace,
    changes.filter(({ change }) => change === 'deleted' || change === 'modified'),
  );
  const carriers = new Map<string, string[]>();
  for (const [size, files] of taken) {
    const others = brought.get(size);
    if (!others) continue;
    const byContent = Map.groupBy(others, (file) => digestOf(path.join(layer.upper, file)));
    for (const file of files) {
      const same = byContent.get(digestOf(path.join(layer.manifest.workspace, file)));
      if (same) carriers.set(file, same);
    }
  }
  return carriers;
}

/**
 * @returns for each path that would be deleted and has no such carrier, one of the withheld whose content is much like its own; or may be
 * for all that is known: a deletion can wait, a content that is gone cannot be had again
 */
export function likeWithheld(layer: Layer, deletions: readonly Change[], withheld: readonly Change[]): ReadonlyMap<string, Like> {
  const others = withheld.filter(({ change, node, bytes }) => change !== 'deleted' && change !== 'mode' && node === 'file' && bytes > 0);
  if (others.length === 0) return new Map();
  const texts = deletions.flatMap(({ path: file }) => {
    const lower = path.join(layer.manifest.workspace, file);
    const stat = statOf(lower);
    return stat?.isFile() ? [{ path: file, file: lower, bytes: Number(stat.size) }] : [];
  });
  return alike(
    texts,
    others.map(({ path: file, bytes }) => ({ path: file, file: path.join(layer.upper, file), bytes })),
  );
}

/** By size. An empty file carries nothing. */
function filesOf(root: string, changes: readonly Change[]): Map<bigint, string[]> {
  const files = new Map<bigint, string[]>();
  for (const { path: file } of changes) {
    const stat = statOf(path.join(root, file));
    if (!stat?.isFile() || stat.size === 0n) continue;
    const same = files.get(stat.size);
    if (same) same.push(file);
    else files.set(stat.size, [file]);
  }
  return files;
}

/** What cannot be read is like nothing else. */
function digestOf(file: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 18);
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) hash.update(buffer.subarray(0, count));
    return hash.digest('hex');
  } catch {
    return file;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What cannot be looked at carries nothing. */
function statOf(file: string): BigIntStats | undefined {
  try {
    return lstatSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
