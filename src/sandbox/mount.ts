// The words in which the inside of the sandbox is described, and their translation to bubblewrap's arguments (bwrap(1)).
import path from 'node:path';

export type Mount =
  | { readonly kind: 'tmpfs'; readonly path: string; readonly bytes: number; readonly mode: number }
  | { readonly kind: 'dir'; readonly path: string; readonly mode: number }
  /** A host path at the same or another place inside. */
  | { readonly kind: 'bind'; readonly source: string; readonly path: string; readonly isWritable: boolean }
  | { readonly kind: 'symlink'; readonly target: string; readonly path: string }
  /** A file of ours on a tmpfs of ours. */
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode: number }
  /** A file of ours over one of the host's, read-only. */
  | { readonly kind: 'cover'; readonly path: string; readonly content: Uint8Array }
  | { readonly kind: 'proc'; readonly path: string }
  | { readonly kind: 'dev'; readonly path: string }
  /** No more writes to the tmpfs at `path` itself; mounts below it keep their own mode. */
  | { readonly kind: 'seal'; readonly path: string };

/**
 * @param open gives a descriptor, as bubblewrap will see it, from which the content can be read
 */
export function bwrapMounts(mounts: readonly Mount[], open: (content: Uint8Array) => number): string[] {
  return mounts.flatMap((mount): string[] => {
    switch (mount.kind) {
      case 'tmpfs':
        return ['--perms', octal(mount.mode), '--size', String(mount.bytes), '--tmpfs', mount.path];
      case 'dir':
        return ['--perms', octal(mount.mode), '--dir', mount.path];
      case 'bind':
        return [mount.isWritable ? '--bind' : '--ro-bind', mount.source, mount.path];
      case 'symlink':
        return ['--symlink', mount.target, mount.path];
      case 'file':
        return ['--perms', octal(mount.mode), '--file', String(open(mount.content)), mount.path];
      case 'cover':
        return ['--ro-bind-data', String(open(mount.content)), mount.path];
      case 'proc':
        return ['--proc', mount.path];
      case 'dev':
        return ['--dev', mount.path];
      case 'seal':
        return ['--remount-ro', mount.path];
    }
  });
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** True when `inner` is `outer` or below it. Both are absolute and normalised. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === path.sep ? outer : outer + path.sep);
}

export const depthOf = (file: string): number => file.split(path.sep).length;
