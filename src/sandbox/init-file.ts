// Where the init stands on disk: a per-user directory that nobody else may enter, under its own SHA-256, so that a profile can be
// attached to a fixed path and nothing but what we compiled is ever executed.
import { chmodSync, closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';

/** @returns the path of an executable file that holds exactly `image` */
export function imageFile(cacheDir: string, image: Buffer): string {
  const directory = path.join(cacheDir, 'init');
  const name = process.getBuiltinModule('node:crypto').hash('sha256', image, 'hex').slice(0, 32);
  const file = path.join(directory, name);
  ownDirectory(directory);
  if (!holds(file, image)) writeImage(file, image);
  return file;
}

/** INVARIANT: the file appears whole or not at all, also after a crash. */
export function writeImage(file: string, image: Buffer): void {
  const directory = path.dirname(file);
  const fresh = `${file}.${process.pid}`;
  try {
    rmSync(fresh, { force: true });
    const fd = openSync(fresh, 'wx', 0o700);
    try {
      writeSync(fd, image);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, file);
  } catch (cause) {
    throw new IntramurError('SANDBOX_SETUP', `the init program could not be written to ${directory}`, {
      cause,
      hint: `make ${directory} writable`,
    });
  }
  if (!holds(file, image)) throw new IntramurError('SANDBOX_SETUP', `${file} changed while it was written`);
}

/** INVARIANT: the directory is ours and closed to everyone else, so that what was verified is what is executed. */
export function ownDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== process.geteuid?.()) {
    throw new IntramurError('SANDBOX_SETUP', `${directory} is not a directory of this user`, { hint: `rm -rf ${directory}` });
  }
  if (stat.mode & 0o077) chmodSync(directory, 0o700);
}

function holds(file: string, image: Buffer): boolean {
  try {
    const stat = lstatSync(file);
    return stat.isFile() && stat.uid === process.geteuid?.() && (stat.mode & 0o122) === 0o100 && readFileSync(file).equals(image);
  } catch {
    return false;
  }
}
