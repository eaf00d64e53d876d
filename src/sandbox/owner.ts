// Whom the sandbox runs as. An ordinary user stays who they are. Root becomes the owner of the workspace; where root itself owns
// it, the same user is shown inside as an ordinary one, because agents refuse their unattended modes to user 0 and because nothing
// inside should believe that it administers the machine.
import { lstatSync } from 'node:fs';

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
  const { uid, gid } = lstatSync(workspace);
  const outer = uid === 0 ? { uid: 0, gid: 0 } : { uid, gid };
  return { outer, inner: uid === 0 ? ordinary : outer, isRoot: true };
}

function currentUser(): { uid: number; gid: number } {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}
