// Where the audit looks, from what the caller wrote: homes and directories that are walked, and single directories beside them. An agent
// reads its settings from the directory that it is started in up to the top of the repository, so those above a directory always count.
import path from 'node:path';
import type { AuditOptions } from './audit.ts';
import { topOf } from './git.ts';
import { diskTree, type Tree } from './read/tree.ts';
import { isBelow } from './scan.ts';

export interface Places {
  readonly homes: readonly string[];
  /** Walked to the bottom. */
  readonly dirs: readonly string[];
  /** Looked at by themselves, without what lies below. */
  readonly single: readonly string[];
}

/** A place that was looked at; `isWhole` with everything below. */
export interface LookedAt {
  readonly path: string;
  readonly isWhole: boolean;
}

/** Paths inside the tree. */
export function placesOf(options: AuditOptions, tree: Tree): Places {
  const { root, home, cwd } = options;
  const inside = (given: string): string => insideOf(given, options);
  const dirs = options.dirs.map(inside);
  const single = (homes: readonly string[]) => withParents(tree, dirs).filter((dir) => !dirs.includes(dir) && !homes.includes(dir));
  if (home !== undefined) return { homes: [inside(home)], dirs, single: single([inside(home)]) };
  if (root === undefined) {
    const homes = [options.userHome];
    return dirs.length > 0 ? { homes, dirs, single: single(homes) } : { homes, ...aroundOf(tree, homes, cwd) };
  }
  const names = (dir: string): readonly string[] => {
    const entries = tree.list(dir);
    return typeof entries === 'string' ? [] : entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${dir}/${name}`);
  };
  const homes = [...(tree.stat('/root')?.kind === 'directory' ? ['/root'] : []), ...names('/home'), ...names('/Users')];
  return { homes, dirs: dirs.length > 0 || homes.length > 0 ? dirs : ['/'], single: single(homes) };
}

/** A directory as the caller names it, below the root by its path there or by the one outside, as it is called in the tree. */
function insideOf(given: string, { root, cwd }: Pick<AuditOptions, 'root' | 'cwd'>): string {
  const base = root === undefined ? '/' : path.resolve(cwd, root);
  const resolved = path.resolve(cwd, given);
  if (base === '/') return resolved;
  if (resolved === base) return '/';
  if (resolved.startsWith(`${base}/`)) return resolved.slice(base.length);
  return path.posix.normalize(`/${given}`).replace(/(?<=.)\/$/, '');
}

/** Whether what was named stands in the tree that is audited, and not only on this machine. */
export function isDirectoryInside(given: string, from: Pick<AuditOptions, 'root' | 'cwd'>): boolean {
  const tree = diskTree(from.root === undefined ? '/' : path.resolve(from.cwd, from.root));
  const real = tree.resolve(insideOf(given, from));
  return real !== undefined && (real === '/' || tree.stat(real)?.kind === 'directory');
}

/** Of nothing that was named: the repository around the current directory, or that directory by itself where there is none. */
function aroundOf(tree: Tree, homes: readonly string[], from: string): Pick<Places, 'dirs' | 'single'> {
  const cwd = asBelowHome(tree, homes, from);
  if (cwd === '/' || homes.includes(cwd)) return { dirs: [], single: [] };
  const top = topOf(tree, cwd);
  // A repository that holds the homes as well is no project to walk through.
  const isProject = top !== undefined && top !== '/' && !homes.some((home) => isBelow(home, top));
  if (isProject) return { dirs: [top], single: [] };
  return { dirs: [], single: withParents(tree, [cwd]).filter((dir) => !homes.includes(dir)) };
}

/** The current directory is known by its real path, a home by what it is called: one place must not be looked at under two names. */
function asBelowHome(tree: Tree, homes: readonly string[], dir: string): string {
  for (const home of homes) {
    const real = tree.resolve(home);
    if (real !== undefined && real !== home && isBelow(dir, real)) return home + dir.slice(real.length);
  }
  return dir;
}

/** Each directory and those above it, up to the top of its repository. */
export function withParents(tree: Tree, dirs: readonly string[]): readonly string[] {
  const all = new Set<string>(dirs);
  for (const dir of dirs) {
    const real = tree.resolve(dir) ?? dir;
    const top = topOf(tree, real);
    if (top === undefined || top === '/') continue;
    for (let here = path.posix.dirname(real); isBelow(here, top); here = path.posix.dirname(here)) all.add(here);
  }
  return [...all];
}
