// A workspace whose git directory lies elsewhere: a worktree, a submodule, or a directory inside of a repository. That directory is
// shown read-only, so that history and differences work. INVARIANT: a `.git` file in the workspace may have been written by an agent;
// where it points is shown only when the place itself points back (gitrepository-layout(5)).
import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

/** Host paths to show read-only. */
export function gitOutside(workspace: string): string[] {
  const git = path.join(workspace, '.git');
  const stat = lstatSync(git, { throwIfNoEntry: false });
  if (stat?.isFile()) return pointedTo(workspace, git);
  if (stat) return [];
  return above(workspace);
}

function pointedTo(workspace: string, file: string): string[] {
  const target = /^gitdir: (?<at>[^\n]+)\n?$/.exec(textOf(file))?.groups?.['at'];
  const directory = target === undefined ? undefined : realOf(path.resolve(workspace, target));
  if (directory === undefined || !existsSync(path.join(directory, 'HEAD'))) return [];
  // A worktree: its directory names our `.git`, and lies in the repository that it shares.
  if (realOf(textOf(path.join(directory, 'gitdir')).trim()) === file) {
    const shared = realOf(path.resolve(directory, textOf(path.join(directory, 'commondir')).trim()));
    return shared !== undefined && path.dirname(directory) === path.join(shared, 'worktrees') ? [shared] : [];
  }
  // A submodule: its configuration names the workspace.
  const worktree = /^\s*worktree\s*=\s*(?<at>[^\n]+)$/m.exec(textOf(path.join(directory, 'config')))?.groups?.['at'];
  return worktree !== undefined && realOf(path.resolve(directory, worktree.trim())) === workspace ? [directory] : [];
}

/** The repository that the workspace is a directory of. What lies above the workspace is out of an agent's reach. */
function above(workspace: string): string[] {
  for (let at = path.dirname(workspace); at !== path.dirname(at); at = path.dirname(at)) {
    const git = path.join(at, '.git');
    if (lstatSync(git, { throwIfNoEntry: false })?.isDirectory()) return existsSync(path.join(git, 'HEAD')) ? [git] : [];
  }
  return [];
}

/** Of a regular file of at most 64 KiB. What stands there instead may be a pipe that nobody writes to: it is not waited for. */
function textOf(file: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= 1 << 16 ? readFileSync(fd, 'utf8') : '';
  } catch {
    return '';
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
