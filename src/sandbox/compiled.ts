// What is compiled for the sandbox and is the same from run to run: kept in the cache, named by what it was made from and by the build
// that made it, so that a launch reads a file instead of compiling. Elsewhere than in a build everything is made anew.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { imageFile, ownDirectory, writeImage } from './init-file.ts';

/** A build puts the hash of its code here (rolldown.config.ts). */
const build = /^[0-9a-f]{12}$/.exec('@hash of the build@')?.[0];

/**
 * @param key everything that the image depends on, as a file name
 * @returns the path of a file of this user, executable, that holds what `make` returns
 */
export function compiled(cacheDir: string, key: string, make: () => Buffer): string {
  if (build === undefined || key.length > 160 || !/^[\w.,=-]+$/.test(key)) return imageFile(cacheDir, make());
  const directory = path.join(cacheDir, 'init');
  ownDirectory(directory);
  const file = path.join(directory, `${build}.${key}`);
  // INVARIANT: nobody else may enter the directory, and the file appears in it whole or not at all.
  const stat = lstatSync(file, { throwIfNoEntry: false });
  const isOurs = stat?.isFile() && stat.uid === process.geteuid?.() && (stat.mode & 0o122) === 0o100 && stat.size > 0;
  if (!isOurs) writeImage(file, make());
  return file;
}
