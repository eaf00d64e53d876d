// The writes of the ledger, as steps whose order decides what a crash can leave behind. Tests replace it by one that fails or stops at
// any step. INVARIANT: a resolved `write`, `extend` or `syncDirectory` survives a power cut.
import { closeSync, constants, fdatasync, fsync, openSync, readdirSync, renameSync, writeSync } from 'node:fs';
import { access, mkdir, open, rm, rmdir, truncate, unlink } from 'node:fs/promises';
import path from 'node:path';

export interface Disk {
  /** Creates a directory and its missing parents, durably. */
  makeDirectory(directory: string): Promise<void>;
  /** Creates or replaces the contents of a file, durably. Its name is durable only after `syncDirectory`. */
  write(file: string, bytes: Uint8Array): Promise<void>;
  /** Writes at a place of a file that exists, durably. What stood behind the place is undefined. */
  extend(file: string, position: number, bytes: Uint8Array): Promise<void>;
  /** Empties a file that exists; after a power cut it may not be empty. */
  empty(file: string): Promise<void>;
  syncDirectory(directory: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a directory with all it holds; a missing one is fine. */
  remove(target: string): Promise<void>;
  /** Throws when nothing could be written here. */
  probe(directory: string): Promise<void>;
}

/** Not `promisify`, which costs a group as much as opening the file does. */
function flushData(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(fd, (fault) => (fault ? reject(fault) : resolve())));
}

function flush(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(fd, (fault) => (fault ? reject(fault) : resolve())));
}

// What only touches the page cache is done at once; only the wait for the device goes to another thread. Handing every open,
// write and close over as well costs a third more CPU and latency (bench/ledger.ts, group 1).
export const disk: Disk = {
  async makeDirectory(directory) {
    const first = await mkdir(directory, { recursive: true, mode: 0o755 });
    if (first === undefined) return;
    // Every new name stands in a parent that must be synced, from the leaf up to the parent of the first that was missing.
    for (let at = directory; ; at = path.dirname(at)) {
      await disk.syncDirectory(path.dirname(at));
      if (at === first || at === path.dirname(at)) return;
    }
  },

  async write(file, bytes) {
    const fd = openSync(file, 'w', 0o644);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      await flushData(fd);
    } finally {
      closeSync(fd);
    }
  },

  async extend(file, position, bytes) {
    const fd = openSync(file, 'r+');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
      await flushData(fd);
    } finally {
      closeSync(fd);
    }
  },

  async empty(file) {
    // Gives blocks back, for which the file system may have to read: milliseconds in which nothing else would be done.
    await truncate(file);
  },

  async syncDirectory(directory) {
    const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await flush(fd);
    } finally {
      closeSync(fd);
    }
  },

  async rename(from, to) {
    renameSync(from, to);
  },

  async remove(target) {
    if (!(await removedFew(target))) await rm(target, { recursive: true, force: true });
  },

  async probe(directory) {
    await access(directory, constants.W_OK | constants.X_OK);
  },
};

const fewFiles = 32;

/**
 * Under load a tile has few partial forms, and a walk that expects anything costs more than unlinking them. What was theirs is given back,
 * for which the file system may have to wait. False: nothing but a part was done.
 */
async function removedFew(directory: string): Promise<boolean> {
  try {
    const names = readdirSync(directory);
    if (names.length > fewFiles) return false;
    await Promise.all(names.map((name) => unlink(path.join(directory, name))));
    await rmdir(directory);
    return true;
  } catch {
    return false;
  }
}

/** A new file that must not exist yet, with its name made durable. */
export async function createExclusively(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await disk.syncDirectory(path.dirname(file));
}
