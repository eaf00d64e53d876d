// What a session did to the workspace, for its summary.
import fs from 'node:fs';
import path from 'node:path';
import type { Summary } from '../../daemon/index.ts';
import { diffLayer, findLayer, sensitiveReason } from '../../sandbox/index.ts';

type Files = Summary['files'];

/** Overlay mode: read from the session's layer, which holds every difference. */
export function filesOfLayer(sessions: string, session: string, workspace: string, cacheDir: string): Files {
  const changes = diffLayer(findLayer(sessions, session, workspace), cacheDir).filter(({ node }) => node !== 'directory');
  const count = (...kinds: string[]) => changes.filter(({ change }) => kinds.includes(change)).length;
  return {
    changed: count('modified', 'mode'),
    added: count('added'),
    deleted: count('deleted'),
    sensitive: changes.filter((change) => change.class !== 'code').map((change) => change.path),
  };
}

/** Names remembered before a direct session starts; a start must stay fast, so a larger workspace is remembered in part. */
const maxNames = 20_000;
/** Entries looked at after it, at most. */
const maxEntries = 500_000;

/**
 * Direct mode: the workspace before and after. What changed is told by the change time, what is new by the birth time; what was
 * deleted only among the first 20,000 names, without `node_modules` and git's objects.
 */
export function watchWorkspace(workspace: string): () => Files {
  const before = names(workspace, maxNames, true);
  const began = Date.now();
  return () => {
    const found = { changed: 0, added: 0, sensitive: [] as string[] };
    const after = names(workspace, maxEntries, false);
    for (const name of after) {
      const stat = fs.lstatSync(path.join(workspace, name), { throwIfNoEntry: false });
      if (!stat || stat.ctimeMs < began) continue;
      found[stat.birthtimeMs >= began ? 'added' : 'changed'] += 1;
      if (sensitiveReason(name) !== undefined) found.sensitive.push(name);
    }
    return { ...found, deleted: [...before].filter((name) => !after.has(name)).length };
  };
}

/** Paths of all files below `root`, relative to it; breadth first, so that a bound cuts what lies deepest. */
function names(root: string, limit: number, isQuick: boolean): Set<string> {
  const found = new Set<string>();
  for (const queue = ['']; queue.length > 0 && found.size < limit; ) {
    const dir = queue.shift() ?? '';
    for (const entry of entriesOf(path.join(root, dir))) {
      const name = path.join(dir, entry.name);
      if (!entry.isDirectory()) found.add(name);
      else if (!isQuick || (entry.name !== 'node_modules' && !name.endsWith('.git/objects'))) queue.push(name);
    }
  }
  return found;
}

function entriesOf(dir: string): fs.Dirent[] {
  try {
    return fs.readdirSync(dir, { withFileTypes: true });
  } catch {
    return []; // unreadable, or gone meanwhile
  }
}
