// Finds git repositories by looking at directories only. Git itself is never run on a workspace: its configuration belongs to whoever
// wrote it last.
import { type Dirent, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';

/** Directories looked at before a workspace counts as too large to protect path by path. */
const maxDirectories = 100_000;

/** Relative paths of every `.git` (directory or file) below the workspace, nested repositories and submodules included. */
export function gitPlaces(workspace: string): string[] {
  const found: string[] = [];
  const queue = [''];
  for (let seen = 0; queue.length > 0; seen++) {
    if (seen > maxDirectories) {
      throw new IntramurError(
        'SANDBOX_SETUP',
        `${workspace} has more than ${maxDirectories} directories: its repositories cannot be protected one by one`,
        {
          hint: 'intramur run --mode overlay -- …',
        },
      );
    }
    const directory = queue.pop() ?? '';
    for (const entry of entriesOf(path.join(workspace, directory))) {
      const at = path.join(directory, entry.name);
      if (entry.name.toLowerCase() === '.git') found.push(at);
      else if (entry.isDirectory()) queue.push(at);
    }
  }
  return found.sort();
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

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
