// Finds git repositories by their names only. Git itself is never run on a workspace: its configuration belongs to whoever wrote it last.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { entriesOf } from './workspace-tree.ts';

/** Every `.git` (directory or file) among the names, nested repositories included. */
export function gitPlaces(tree: Iterable<string>): string[] {
  return [...tree].filter((file) => path.basename(file).toLowerCase() === '.git').sort();
}

/** The repositories that a `.git` directory holds: itself, and those of its submodules. */
export function repositoriesIn(workspace: string, git: string): string[] {
  const own = existsSync(path.join(workspace, git, 'HEAD')) ? [git] : [];
  const below = entriesOf(path.join(workspace, git, 'modules')).filter((entry) => entry.isDirectory());
  return [...own, ...below.flatMap((entry) => modulesIn(workspace, path.join(git, 'modules', entry.name)))];
}

/** The name of a submodule may have slashes; its repository begins where `HEAD` is. */
function modulesIn(workspace: string, at: string): string[] {
  if (existsSync(path.join(workspace, at, 'HEAD'))) return repositoriesIn(workspace, at);
  return entriesOf(path.join(workspace, at))
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => modulesIn(workspace, path.join(at, entry.name)));
}
