// Everything in a workspace by name, without following links. Used in direct mode, where what a session changed can only be told by
// looking before and after.
import { type Dirent, readdirSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';

/** Entries looked at before a workspace counts as too large to be looked over. */
const maxEntries = 1_000_000;

/**
 * @param retry called with a directory that cannot be read; when it says so, it is read again
 * @returns relative paths
 */
export function workspaceTree(workspace: string, retry: (directory: string) => boolean = () => false): Set<string> {
  const found = new Set<string>();
  const queue = [''];
  for (let directory = queue.pop(); directory !== undefined; directory = queue.pop()) {
    const at = path.join(workspace, directory);
    for (const entry of namesIn(at) ?? (retry(directory) ? entriesOf(at) : [])) {
      const file = directory === '' ? entry.name : `${directory}/${entry.name}`;
      found.add(file);
      if (entry.isDirectory()) queue.push(file);
    }
    if (found.size > maxEntries) {
      throw new IntramurError('SANDBOX_SETUP', `${workspace} has more than ${maxEntries} files: it cannot be protected path by path`, {
        hint: 'intramur run --mode overlay -- …',
      });
    }
  }
  return found;
}

export function entriesOf(directory: string): Dirent[] {
  return namesIn(directory) ?? [];
}

function namesIn(directory: string): Dirent[] | undefined {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return undefined;
  }
}
