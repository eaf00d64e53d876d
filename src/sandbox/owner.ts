// Whom the sandbox runs as. An ordinary user stays who they are. Root becomes the owner of the workspace; where root itself owns
// it, the same user is shown inside as an ordinary one, because agents refuse their unattended modes to user 0 and because nothing
// inside should believe that it administers the machine.
import { statSync } from 'node:fs';
import path from 'node:path';
import { IntramurError, product } from '../core/index.ts';

export interface Owner {
  /** On the host. */
  readonly outer: { readonly uid: number; readonly gid: number };
  /** As the contained program sees itself. */
  readonly inner: { readonly uid: number; readonly gid: number };
  readonly isRoot: boolean;
}

const ordinary = { uid: 1000, gid: 1000 };

export function ownerOf(workspace: string, user: { uid: number; gid: number } = currentUser()): Owner {
  if (user.uid !== 0) return { outer: user, inner: user, isRoot: false };
  const { uid, gid } = statSync(workspace);
  const outer = uid === 0 ? { uid: 0, gid: 0 } : { uid, gid };
  return { outer, inner: uid === 0 ? ordinary : outer, isRoot: true };
}

function currentUser(): { uid: number; gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

/**
 * The owner of the workspace is not root, and enters only what an ordinary user may enter. What it cannot reach is said before
 * anything starts, instead of by a mount that fails.
 * @param files what the sandbox is made of
 */
export function requireReachable(owner: Owner, files: readonly string[]): void {
  if (!owner.isRoot || owner.outer.uid === 0) return;
  for (const file of files) {
    const closed = closedDirectory(file, owner.outer);
    if (closed === undefined) continue;
    throw new IntramurError(
      'SANDBOX_SETUP',
      `the workspace belongs to user ${owner.outer.uid}, who may not enter ${closed}, where ${file} is`,
      {
        hint: `sudo -u '#${owner.outer.uid}' ${product.name} run …   # or install the program where everybody can read it`,
      },
    );
  }
}

/** The first directory on the way that this user may not enter. */
function closedDirectory(file: string, { uid, gid }: Owner['outer']): string | undefined {
  const [enterByOwner, enterByGroup, enterByOthers] = [0o100, 0o010, 0o001];
  for (const at of ancestors(path.dirname(file))) {
    const stat = statSync(at, { throwIfNoEntry: false });
    if (!stat) return undefined;
    const needed = stat.uid === uid ? enterByOwner : stat.gid === gid ? enterByGroup : enterByOthers;
    if ((stat.mode & needed) === 0) return at;
  }
  return undefined;
}

/** From the root down to `directory` itself. */
function ancestors(directory: string): string[] {
  const above = path.dirname(directory);
  return above === directory ? [directory] : [...ancestors(above), directory];
}
