// A workspace that is a directory inside of a working tree: the rest of the tree is not inside, and git would call it deleted, and commit
// that. So the layer of the git directory begins with an index in which the rest is marked as not to be looked at; the marks are taken
// off before anybody compares the layer, so that none comes back.
import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { markOutside, unmarkOutside } from '../git-index.ts';
import type { GitOutside } from '../git-outside.ts';
import type { Owner } from '../owner.ts';
import { isLive, type Layer } from './manifest.ts';

/** @returns nothing where the index of the repository cannot be marked */
export function markedIndex({ directory, own, top }: GitOutside, workspace: string): Buffer | undefined {
  const index = contentOf(path.join(directory, own, 'index'));
  return index && markOutside(index, path.relative(top, workspace));
}

export function putIndex({ directory, own }: GitOutside, upper: string, index: Buffer, { outer, isRoot }: Owner): void {
  const give = (file: string): void => {
    if (isRoot) chownSync(file, outer.uid, outer.gid);
  };
  const parts = own === '' ? [] : own.split('/');
  parts.forEach((_part, i) => {
    const below = parts.slice(0, i + 1).join('/');
    mkdirSync(path.join(upper, below));
    // The view takes the mode of a directory from the layer.
    chmodSync(path.join(upper, below), statSync(path.join(directory, below)).mode & 0o777);
    give(path.join(upper, below));
  });
  const [from, to] = [path.join(directory, own, 'index'), path.join(upper, own, 'index')];
  const { mode, mtimeMs } = statSync(from);
  writeFileSync(to, index);
  chmodSync(to, mode & 0o777);
  // Git looks again at files that changed as late as the index did: none may seem to be older than it.
  utimesSync(to, Math.floor(mtimeMs / 1000), Math.floor(mtimeMs / 1000));
  give(to);
}

/**
 * Of a session that is over. Doing it again changes nothing.
 * @returns false where there is an index that is not understood: it may have marks in it
 */
export function unmarkIndex(layer: Layer): boolean {
  const { workspace: git, own = '', part } = layer.manifest;
  if (part === undefined) return true;
  const [file, outside] = [path.join(layer.upper, own, 'index'), path.join(git, own, 'index')];
  const index = contentOf(file);
  if (!index) return true;
  const before = contentOf(outside) ?? Buffer.alloc(0);
  const plain = unmarkOutside(index, before, part);
  if (!plain) return false;
  if (isLive(layer)) return true;
  if (plain.equals(before)) {
    rmSync(file);
    removeEmptied(layer.upper, own);
  } else if (!plain.equals(index)) {
    writeFileSync(`${file}.unmarked`, plain, { mode: statSync(file).mode & 0o777 });
    renameSync(`${file}.unmarked`, file);
  }
  return true;
}

function removeEmptied(upper: string, own: string): void {
  for (let at = own; at !== '' && at !== '.'; at = path.dirname(at)) {
    try {
      rmdirSync(path.join(upper, at));
    } catch {
      return; // it holds something
    }
  }
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
