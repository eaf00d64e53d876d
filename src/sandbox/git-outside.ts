// A workspace whose git directory lies elsewhere: a worktree, a submodule, a directory inside of a repository, or a `.git` that is a link.
// That directory is shown as well, so that git works. INVARIANT: a `.git` in the workspace may have been written by an agent; where it
// points is shown only when the place itself points back (gitrepository-layout(5)).
import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { knowsFilesOf } from './git-entries.ts';
import { isWithin } from './mount.ts';
import { followLinks } from './program.ts';

export interface GitOutside {
  /** Real path of the git directory, with all that its working trees share. */
  readonly directory: string;
  /** What of it belongs to this working tree alone, relative to it: `worktrees/NAME`, or nothing, which is all that belongs to no other. */
  readonly own: string;
  /** Real path of the working tree: the workspace, or a directory that it lies in. */
  readonly top: string;
  /** Links and files that lead to it. */
  readonly way: readonly string[];
  /** The workspace lies in the git directory itself. */
  readonly holdsWorkspace: boolean;
}

type Found = Omit<GitOutside, 'holdsWorkspace'>;

export function gitOutside(workspace: string): GitOutside | undefined {
  const git = path.join(workspace, '.git');
  const stat = lstatSync(git, { throwIfNoEntry: false });
  const found = stat ? foundAt(workspace, git) : above(workspace);
  return found && { ...found, holdsWorkspace: isWithin(workspace, found.directory) };
}

function foundAt(workspace: string, git: string): Found | undefined {
  const stat = lstatSync(git);
  if (stat.isFile()) return pointedTo(workspace, git);
  return stat.isSymbolicLink() ? linked(workspace, git) : undefined;
}

function pointedTo(workspace: string, file: string): Found | undefined {
  const target = /^gitdir: (?<at>[^\n]+)\n?$/.exec(textOf(file))?.groups?.['at'];
  const named = target === undefined ? undefined : path.resolve(workspace, target);
  const directory = named === undefined ? undefined : realOf(named);
  if (named === undefined || directory === undefined || isWithin(directory, workspace) || !existsSync(path.join(directory, 'HEAD')))
    return undefined;
  const way = followLinks(named).links;
  // A worktree: its directory names our `.git` (newer versions of git from where it lies), and lies in the repository that it shares.
  if (realOf(path.resolve(directory, textOf(path.join(directory, 'gitdir')).trim())) === file) {
    const shared = realOf(path.resolve(directory, textOf(path.join(directory, 'commondir')).trim()));
    if (shared === undefined || path.dirname(directory) !== path.join(shared, 'worktrees')) return undefined;
    return { directory: shared, own: path.relative(shared, directory), top: workspace, way };
  }
  return isOf(directory, workspace) ? { directory, own: '', top: workspace, way } : undefined;
}

function linked(workspace: string, link: string): Found | undefined {
  const { real, links } = followLinks(link);
  if (isWithin(real, workspace) || !isRepository(real) || !isOf(real, workspace)) return undefined;
  return { directory: real, own: '', top: workspace, way: links.filter((one) => one !== link) };
}

/** As for a submodule, its configuration names the workspace; or its index knows files of it. */
function isOf(directory: string, workspace: string): boolean {
  const worktree = /^\s*worktree\s*=\s*(?<at>[^\n]+)$/m.exec(textOf(path.join(directory, 'config')))?.groups?.['at'];
  if (worktree !== undefined) return realOf(path.resolve(directory, worktree.trim())) === workspace;
  return isRepository(directory) && knowsFilesOf(bytesOf(path.join(directory, 'index'), 1 << 20), workspace);
}

function isRepository(directory: string): boolean {
  return ['HEAD', 'objects', 'refs'].every((name) => existsSync(path.join(directory, name)));
}

/** The repository that the workspace is a directory of. What lies above the workspace is out of an agent's reach. */
function above(workspace: string): Found | undefined {
  for (let at = path.dirname(workspace); at !== path.dirname(at); at = path.dirname(at)) {
    const git = path.join(at, '.git');
    const stat = lstatSync(git, { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.isDirectory()) return existsSync(path.join(git, 'HEAD')) ? { directory: git, own: '', top: at, way: [] } : undefined;
    const found = foundAt(at, git);
    return found && { ...found, way: [...found.way, git] };
  }
  return undefined;
}

/** Of a file of at most 64 KiB. */
function textOf(file: string): string {
  const limit = 1 << 16;
  const bytes = bytesOf(file, limit + 1);
  return bytes.length > limit ? '' : bytes.toString();
}

/** The beginning of a regular file. What stands there instead may be a pipe that nobody writes to: it is not waited for. */
function bytesOf(file: string, limit: number): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile()) return Buffer.alloc(0);
    const bytes = Buffer.alloc(Math.min(stat.size, limit));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } catch {
    return Buffer.alloc(0);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function realOf(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
