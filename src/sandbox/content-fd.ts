// Bytes handed to a child by descriptor: a file without a name. It can be read from its beginning, nothing is left behind by a crash,
// and neither the command line nor the disk shows a path to it.
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';

/** open(2): a file that never has a name. Node has no constant for it; most Linux file systems have the operation. */
const unnamed = 0o20000000 | constants.O_DIRECTORY | constants.O_RDWR;

export function contentFd(directory: string, content: Uint8Array): number {
  const fd = openUnnamed(directory);
  try {
    writeContent(fd, content);
    return fd;
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

export function writeContent(fd: number, content: Uint8Array): void {
  // Written by position: the child's own position stays at the beginning.
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at, content.length - at, at);
}

export function openUnnamed(directory: string): number {
  try {
    return openSync(directory, unnamed, 0o600);
  } catch {
    const { randomBytes } = process.getBuiltinModule('node:crypto');
    const name = path.join(directory, `.${randomBytes(12).toString('hex')}`);
    const fd = openSync(name, 'wx+', 0o600);
    unlinkSync(name);
    return fd;
  }
}
