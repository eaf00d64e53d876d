// Bytes handed to a child by descriptor: a file that has no name any more. It can be read from its beginning, nothing is left
// behind by a crash, and neither the command line nor the disk shows a path to it.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';

export function contentFd(directory: string, content: Uint8Array): number {
  const name = path.join(directory, `.${randomBytes(12).toString('hex')}`);
  const fd = openSync(name, 'wx+', 0o600);
  try {
    unlinkSync(name);
    // Written by position: the child's own position stays at the beginning.
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at, content.length - at, at);
    return fd;
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}
