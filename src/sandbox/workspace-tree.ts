// Everything in a workspace by name, without following links. Used in direct mode, where what a session changed can only be told by
// looking before and after.
import { accessSync, constants, type Dirent, readdirSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';

/** Entries looked at before a workspace counts as too large to be looked over. */
const maxEntries = 1_000_000;

export interface WorkspaceTree {
  /** Relative paths. */
  readonly names: ReadonlySet<string>;
  /** Directories that could not be looked into, relative; the workspace itself is empty. */
  readonly closed: ReadonlySet<string>;
}

/** @param reopen called with a directory that cannot be looked into; when it says so, it is read again */
export function workspaceTree(workspace: string, reopen: (directory: string) => boolean = () => false): WorkspaceTree {
  const names = new Set<string>();
  const closed = new Set<string>();
  const queue = [''];
  for (let directory = queue.pop(); directory !== undefined; directory = queue.pop()) {
    const at = path.join(workspace, directory);
    const entries = namesIn(at) ?? (reopen(directory) ? namesIn(at) : undefined);
    if (!entries) closed.add(directory);
    for (const entry of entries ?? []) {
      const file = directory === '' ? entry.name : `${directory}/${entry.name}`;
      names.add(file);
      if (entry.isDirectory()) queue.push(file);
    }
    if (names.size > maxEntries) {
      throw new IntramurError('SANDBOX_SETUP', `${workspace} has more than ${maxEntries} files: it cannot be protected path by path`, {
        hint: 'intramur run --mode overlay -- …',
      });
    }
  }
  return { names, closed };
}

export function entriesOf(directory: string): Dirent[] {
  return namesIn(directory) ?? [];
}

/** Nothing for one that can be read and not entered, either: nothing is known of what its names stand for. */
function namesIn(directory: string): Dirent[] | undefined {
  try {
    accessSync(directory, constants.R_OK | constants.X_OK);
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return undefined;
  }
}
