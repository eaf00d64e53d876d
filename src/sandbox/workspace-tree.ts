// Everything in a workspace by name, without following links. Used in direct mode, where what a session changed can only be told by
// looking before and after.
import { type Dirent, readdirSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';

/** Entries looked at before a workspace counts as too large to be looked over. */
const maxEntries = 1_000_000;

/** Relative paths. */
export function workspaceTree(workspace: string): Set<string> {
  const found = new Set<string>();
  const queue = [''];
  for (let directory = queue.pop(); directory !== undefined; directory = queue.pop()) {
    for (const entry of entriesOf(path.join(workspace, directory))) {
      const at = directory === '' ? entry.name : `${directory}/${entry.name}`;
      found.add(at);
      if (entry.isDirectory()) queue.push(at);
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
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
