// The git repository around a workspace, found as git finds it (gitrepository-layout(5), git-config(1)) and read as text. A repository, or
// an agent in a layer that nobody applied yet, may have written any of this: each file is bounded, each step is taken once, and what
// does not read is a fault for the report.
import path from 'node:path';
import { remoteUrls } from '../config/index.ts';
import { explain, join } from './load.ts';
import type { Tree } from './read/tree.ts';
import type { Workspace } from './scan.ts';

export interface GitFault {
  readonly path: string;
  readonly reason: string;
}

export interface GitPlace {
  /** The work tree, and for a linked one also the main one. */
  readonly trees: readonly string[];
  readonly urls: readonly string[];
  readonly fault: GitFault | undefined;
}

/** Where the configuration of a repository lies, or why that is not known. */
type Found = { readonly common: string } | GitFault;

/** Larger files git does not take for a `.git` file either. */
const limit = 1 << 20;

/** The nearest directory at or above `from` that has a `.git`. */
export function topOf(tree: Tree, from: string): string | undefined {
  for (let here = from; ; here = path.posix.dirname(here)) {
    if (tree.stat(join(here, '.git')) !== undefined) return here;
    if (here === '/' || here === '.') return undefined;
  }
}

export function gitPlace(tree: Tree, top: string): GitPlace {
  const found = gitDirectory(tree, top);
  if ('reason' in found) return { trees: [top], urls: [], fault: found };
  // The git directory of a linked work tree is MAIN/.git/worktrees/NAME, its common directory MAIN/.git.
  const trees = path.posix.basename(found.common) === '.git' ? [...new Set([top, path.posix.dirname(found.common)])] : [top];
  const file = join(found.common, 'config');
  const read = tree.read(file, limit);
  if (read.bytes !== undefined) return { trees, urls: remoteUrls(read.bytes.toString('utf8')), fault: undefined };
  return { trees, urls: [], fault: read.fault === 'missing' ? undefined : { path: file, reason: explain(read.fault, limit) } };
}

function gitDirectory(tree: Tree, top: string): Found {
  const dot = join(top, '.git');
  const real = tree.resolve(dot);
  const kind = real === undefined ? undefined : tree.stat(real)?.kind;
  if (kind === undefined) return { path: dot, reason: explain('loop', limit) };
  if (kind === 'directory') return withCommon(tree, dot);
  const read = tree.read(dot, limit);
  if (read.bytes === undefined) return { path: dot, reason: read.fault === 'missing' ? 'it is gone' : explain(read.fault, limit) };
  const target = /^gitdir: ([^\0\r\n]+)[\r\n]*$/.exec(read.bytes.toString('utf8'))?.[1];
  if (target === undefined) return { path: dot, reason: 'it is no file that git understands' };
  const own = path.posix.resolve(top, target);
  // An old HEAD is a link to a branch.
  if (!['file', 'link'].includes(tree.stat(join(own, 'HEAD'))?.kind ?? ''))
    return { path: dot, reason: `it leads to ${own}, which is no git directory here` };
  return withCommon(tree, own);
}

/** What linked work trees share lies elsewhere. Not followed further: git does not either. */
function withCommon(tree: Tree, own: string): Found {
  const file = join(own, 'commondir');
  const read = tree.read(file, limit);
  if (read.bytes === undefined) return read.fault === 'missing' ? { common: own } : { path: file, reason: explain(read.fault, limit) };
  const text = read.bytes.toString('utf8').replace(/[\r\n]+$/, '');
  return text === '' || text.includes('\0') ? { common: own } : { common: path.posix.resolve(own, text) };
}

/** Where the git directory of a workspace does not read: its remotes, and the class that follows from them, are not known. */
export function gitFaults(tree: Tree, workspaces: readonly Workspace[]): readonly GitFault[] {
  return workspaces.flatMap(({ path: top, isGit }) => {
    const fault = isGit ? gitPlace(tree, top).fault : undefined;
    return fault === undefined ? [] : [{ ...fault, reason: `${fault.reason}, so that its remotes are not known` }];
  });
}
