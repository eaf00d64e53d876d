// What no session may bring back: files that gain rights, nodes that are no files, links that lead out of the workspace. `apply` never
// applies them; a session in direct mode, whose writes are there already, names them at its end.
import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { isWithin } from './mount.ts';

/** A workspace as it is after the session, or as it would be after `apply`. */
export interface View {
  readonly workspace: string;
  /** Where the link at `file` (relative to the workspace) leads; `undefined` for what is no link. */
  targetOf(file: string): string | undefined;
}

/** Why the node may never come back; `undefined` when it may. */
export function forbiddenReason(file: string, node: BigIntStats, view: View): string | undefined {
  if (node.isFile()) return (node.mode & 0o6000n) === 0n ? undefined : 'setuid or setgid';
  if (node.isDirectory()) return undefined;
  if (node.isSymbolicLink()) return leaves(file, view) ? 'a link that leaves the workspace' : undefined;
  if (node.isFIFO()) return 'a named pipe';
  return node.isSocket() ? 'a socket' : 'a device';
}

const maxSteps = 200;

/** Follows a link as the host would. What cannot be followed to its end may lead anywhere. */
function leaves(file: string, { workspace, targetOf }: View): boolean {
  let at = path.dirname(file);
  let rest = [path.basename(file)];
  try {
    for (let steps = 0; rest.length > 0; steps++) {
      if (steps > maxSteps) return true;
      const [name = '', ...after] = rest;
      rest = after;
      if (name === '..' && at === '.') return true;
      const next = path.join(at, name);
      const target = targetOf(next);
      if (target === undefined) at = next;
      else if (!path.isAbsolute(target)) rest = [...target.split('/').filter(Boolean), ...rest];
      else if (isWithin(path.normalize(target), workspace)) {
        rest = [...path.relative(workspace, target).split('/').filter(Boolean), ...rest];
        at = '.';
      } else return true;
    }
    return false;
  } catch {
    return true;
  }
}
