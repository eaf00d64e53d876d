// Finds git repositories by names only: by `.git`, and by what lies in a directory, whatever it is called. Git itself is never run on a
// workspace: its configuration belongs to whoever wrote it last.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { sensitiveReason } from './sensitive.ts';
import { entriesOf } from './workspace-tree.ts';

/** Every `.git` (directory or file) among the names, nested repositories included. */
export function gitPlaces(tree: Iterable<string>): string[] {
  return [...tree].filter((file) => path.basename(file).toLowerCase() === '.git').sort();
}

/**
 * The repositories that a `.git` directory holds: itself, whatever it still lacks (the next session may add it), and those of its
 * submodules.
 */
export function repositoriesIn(workspace: string, git: string): string[] {
  if (!lstatSync(path.join(workspace, git), { throwIfNoEntry: false })?.isDirectory()) return [];
  const below = entriesOf(path.join(workspace, git, 'modules')).filter((entry) => entry.isDirectory());
  return [git, ...below.flatMap((entry) => modulesIn(workspace, path.join(git, 'modules', entry.name)))];
}

/** The name of a submodule may have slashes; its repository begins where `HEAD` is. */
function modulesIn(workspace: string, at: string): string[] {
  if (hasHead(workspace, at)) return repositoriesIn(workspace, at);
  return entriesOf(path.join(workspace, at))
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => modulesIn(workspace, path.join(at, entry.name)));
}

/** Not followed where it is a link: git takes one that leads to a branch not yet born. */
export function hasHead(workspace: string, repository: string): boolean {
  return lstatSync(path.join(workspace, repository, 'HEAD'), { throwIfNoEntry: false }) !== undefined;
}

/**
 * Every directory that git takes for a repository by what lies in it (`is_git_directory` in its setup.c): `HEAD` with `objects` and
 * `refs`, or with the file that says which other directory has those. The workspace itself is `.`.
 */
export function repositoriesByContent(tree: ReadonlySet<string>): string[] {
  return [...tree]
    .filter((file) => path.basename(file) === 'HEAD')
    .map((head) => path.dirname(head))
    .filter((at) => (tree.has(path.join(at, 'objects')) && tree.has(path.join(at, 'refs'))) || tree.has(path.join(at, commonDirectory)))
    .sort();
}

/** A file in a repository: `config`, `hooks` and the rest are then those of the directory it names (gitrepository-layout(5)). */
export const commonDirectory = 'commondir';

/** Directories of what git is in the middle of: the next `--continue` does what they say, which may be to run a command. */
export const stepsDirectories = ['rebase-merge', 'rebase-apply', 'sequencer'];

const inForce: ReadonlySet<string> = new Set(['hooks', 'config', 'config.worktree', ...stepsDirectories]);

export interface Sight {
  /** After the change: in the workspace, or in what is to be brought into it. */
  isThere(file: string): boolean;
  /** Before the change. */
  wasThere(file: string): boolean;
}

/**
 * What runs or redirects something in a repository that lies open in a directory of any name; and what makes a directory one, because
 * the rest of it may have come before, as files like any other.
 */
export function isInOpenRepository(file: string, { isThere, wasThere }: Sight): boolean {
  const parts = file.split('/');
  return parts.some((part, at) => {
    const place = (name: string): string => [...parts.slice(0, at), name].join('/');
    const beside = (...names: string[]): boolean => names.some((name) => isThere(place(name)));
    if (part === commonDirectory) return at === parts.length - 1;
    if (inForce.has(part)) return beside('objects', commonDirectory);
    // Where a configuration is never taken for a file like any other, none has come before.
    if (sensitiveReason(place('config')) !== undefined) return false;
    if (part === 'HEAD') {
      // The log of a head lies beside the logs of refs. Without objects that is no repository, and who brings those is asked about them.
      const isLog = parts[at - 1] === 'logs' && isThere([...parts.slice(0, at - 1), 'HEAD'].join('/'));
      return beside('objects', commonDirectory, ...inForce, ...(isLog ? [] : ['refs']));
    }
    // With a new `HEAD`, that one is asked about.
    return (part === 'objects' || part === 'refs') && wasThere(place('HEAD')) && !wasThere(place(part));
  });
}
