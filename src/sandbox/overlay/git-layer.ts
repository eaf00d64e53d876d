// The layer of a git directory outside of the workspace, which several working trees may share. Its changes stand beside those of the
// workspace, by their paths from there (`../main/.git/refs/heads/x`). What belongs to another working tree never comes back; objects are
// only added: git finds them by their content, so that one more harms nobody, and one less or another one does.
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sensitiveReason } from '../sensitive.ts';
import type { Change } from './change.ts';
import { diffLayer } from './diff.ts';
import { type Layer, layersOf } from './manifest.ts';
import { unmarkIndex } from './part-index.ts';

export const isGitLayer = ({ manifest }: Layer): boolean => manifest.own !== undefined;

/** An object of git, or a pack of them, by its path in a git directory. */
export const isObject = (file: string): boolean => /^(?:modules\/.+\/)?objects\/(?:[0-9a-f]{2}|pack)(?:\/|$)/.test(file);

export interface Names {
  /** Those changes of the session that lie in the layer, by their names there. */
  in(changes: readonly Change[]): Change[];
  /** The name that a path in the layer has for the session. */
  out(file: string): string;
}

export function namesOf(session: Layer, layer: Layer): Names {
  const prefix = isGitLayer(layer) ? `${path.relative(session.manifest.workspace, layer.manifest.workspace)}/` : '';
  const isIn = ({ path: file }: Change): boolean => (prefix === '' ? !file.startsWith('../') : file.startsWith(prefix));
  return {
    in: (changes) => changes.filter(isIn).map((change) => ({ ...change, path: change.path.slice(prefix.length) })),
    out: (file) => prefix + file,
  };
}

/** All that a session would bring back. */
export function diffSession(layer: Layer, cacheDir: string): Change[] {
  return layersOf(layer).flatMap((one) => {
    if (!isGitLayer(one)) return diffLayer(one, cacheDir);
    const isUnderstood = unmarkIndex(one);
    const { out } = namesOf(layer, one);
    const judged = judge(one, diffLayer(one, cacheDir).filter(isBrought), isUnderstood);
    return judged.map((change) => ({ ...change, path: out(change.path) }));
  });
}

/** An object that was packed or thrown away inside may be needed outside meanwhile. */
const isBrought = ({ path: file, change }: Change): boolean => change !== 'deleted' || !isObject(file);

/** @param isUnderstood false for an index that has marks in it which must not come back, and that we cannot read */
function judge(layer: Layer, changes: readonly Change[], isUnderstood: boolean): Change[] {
  const { workspace: git, own = '' } = layer.manifest;
  const checkedOut = branchesOfOthers(git, own);
  const packed = checkedOut.filter((branch) => packedAt(git, branch) !== packedAt(layer.upper, branch));
  return changes.map((change): Change => {
    const { path: file } = change;
    if (change.class === 'forbidden') return change;
    if (isObject(file) && change.change !== 'added')
      return { ...change, class: 'forbidden', why: 'an object of a repository does not change' };
    if (!isUnderstood && file === path.join(own, 'index'))
      return { ...change, class: 'forbidden', why: 'an index in a form that is not known' };
    if (isOfOther(file, git, own)) return { ...change, class: 'forbidden', why: 'it belongs to another working tree of the repository' };
    const isCheckedOut = checkedOut.includes(file) || (file === 'packed-refs' && packed.length > 0);
    const why = sensitiveReason(`.git/${file}`) ?? (isCheckedOut ? 'the branch that another working tree has checked out' : undefined);
    return { ...change, class: why === undefined ? 'code' : 'sensitive', why: why ?? '' };
  });
}

/** State of the working tree that a git directory itself belongs to (gitrepository-layout(5)). */
const stateOfTree =
  /^(?:[A-Z_]*HEAD|index|[A-Z]+_(?:MSG|MODE|RR)|COMMIT_EDITMSG|BISECT_\w+|logs\/HEAD|refs\/(?:bisect|worktree|rewritten)\/.*|(?:rebase-merge|rebase-apply|sequencer)(?:\/.*)?)$/;

function isOfOther(file: string, git: string, own: string): boolean {
  const worktree = /^worktrees\/[^/]+(?=\/|$)/.exec(file)?.[0];
  if (worktree === undefined) return own !== '' && stateOfTree.test(file);
  return worktree !== own && existsSync(path.join(git, worktree));
}

function branchesOfOthers(git: string, own: string): string[] {
  const trees = ['', ...worktreesIn(git)].filter((tree) => tree !== own);
  // The directory of a bare repository names a branch as well, which may be this working tree's.
  return trees.flatMap((tree) => branchOf(git, tree) ?? []).filter((branch) => branch !== branchOf(git, own));
}

function branchOf(git: string, tree: string): string | undefined {
  return /^ref: (?<branch>refs\/\S+)$/m.exec(textOf(path.join(git, tree, 'HEAD')))?.groups?.['branch'];
}

function worktreesIn(git: string): string[] {
  try {
    return readdirSync(path.join(git, 'worktrees')).map((name) => `worktrees/${name}`);
  } catch {
    return [];
  }
}

/** What `packed-refs` says a branch is at. */
function packedAt(git: string, branch: string): string | undefined {
  return textOf(path.join(git, 'packed-refs'))
    .split('\n')
    .find((line) => line.endsWith(` ${branch}`));
}

function textOf(file: string): string {
  try {
    return lstatSync(file).isFile() ? readFileSync(file, 'latin1') : '';
  } catch {
    return '';
  }
}
