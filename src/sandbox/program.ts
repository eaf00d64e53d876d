// Finds a program as a shell would, and what of the host it needs to start: the links on the way to it, its package, and the
// interpreter that its first line names. Only places are returned; nothing is executed.
import { accessSync, closeSync, constants, existsSync, lstatSync, openSync, readlinkSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { isWithin } from './mount.ts';

export interface ResolvedProgram {
  /** Absolute, as it was found: a program may look at the name it was started by. */
  readonly path: string;
  /** Host paths outside the standard places that it needs, read-only. Links are listed themselves, beside what they lead to. */
  readonly trees: readonly string[];
  /** Directories that must be on PATH inside: the program's own and those of its interpreters. */
  readonly binDirs: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Visible inside anyway. */
const standardPlaces = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
const defaultPath = '/usr/local/bin:/usr/bin:/bin';
/** An interpreter of an interpreter of …: more is a loop. */
const maxInterpreters = 4;
const maxLinks = 40;

export function resolveProgram(command: string, env: Env, cwd: string): ResolvedProgram | undefined {
  const found = which(command, env, cwd);
  if (found === undefined) return undefined;
  const trees = new Set<string>();
  const binDirs = new Set<string>();
  let next: string | undefined = found;
  for (let i = 0; next !== undefined && i < maxInterpreters; i++) {
    binDirs.add(path.dirname(next));
    const { real, links } = followLinks(next);
    for (const place of [...links, packageTree(real, env)]) if (!standardPlaces.some((one) => isWithin(place, one))) trees.add(place);
    next = interpreter(real, env, cwd);
  }
  return { path: found, trees: [...trees], binDirs: [...binDirs] };
}

function which(command: string, env: Env, cwd: string): string | undefined {
  if (command.includes('/')) return executable(path.resolve(cwd, command));
  if (command === '') return undefined;
  for (const dir of (env['PATH'] ?? defaultPath).split(':')) {
    const candidate = executable(path.resolve(cwd, dir, command));
    if (candidate !== undefined) return candidate;
  }
  return undefined;
}

function executable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

/** The real path, and every symbolic link that was followed to reach it. */
export function followLinks(file: string): { real: string; links: string[] } {
  const links: string[] = [];
  let rest = file.split('/').filter(Boolean);
  let at = '/';
  while (rest.length > 0) {
    const [name = '', ...after] = rest;
    const candidate = path.join(at, name);
    rest = after;
    if (!lstatSync(candidate, { throwIfNoEntry: false })?.isSymbolicLink()) {
      at = candidate;
      continue;
    }
    if (links.push(candidate) > maxLinks) break;
    const target = readlinkSync(candidate);
    rest = [...path.resolve(at, target).split('/').filter(Boolean), ...rest];
    at = '/';
  }
  return { real: at, links };
}

/** Version managers keep shims, versions and settings side by side; a shim needs all of it. */
const managerRoots = /^(.*\/(?:\.pyenv|\.rbenv|\.nodenv|\.asdf|\.volta|\.local\/share\/mise|\.proto))(?:\/|$)/;
/** Stores in which packages lean on each other by absolute path. */
const stores = ['/nix/store', '/gnu/store', '/home/linuxbrew/.linuxbrew'];

/** The directory (or the file alone) that the program at `real` belongs to. */
function packageTree(real: string, env: Env): string {
  const store = stores.find((one) => isWithin(real, one));
  if (store !== undefined) return store;
  const manager = managerRoots.exec(real)?.[1];
  if (manager !== undefined) return manager;
  const dirs = ancestors(real);
  // The outermost node_modules: packages find each other as siblings there.
  const modules = dirs.findLast((dir) => path.basename(dir) === 'node_modules');
  if (modules !== undefined) return modules;
  const marked = dirs.find((dir) => marks.some((mark) => existsSync(path.join(dir, mark))));
  if (marked !== undefined && isOnlyPackage(marked, env)) return marked;
  const prefix = path.dirname(path.dirname(real));
  const isInstallation =
    path.basename(path.dirname(real)) === 'bin' && ['lib', 'libexec'].some((name) => existsSync(path.join(prefix, name)));
  return isInstallation && isOnlyPackage(prefix, env) ? prefix : real;
}

/** A directory with one of these is a package: a Python environment, or an npm package that lies by itself. */
const marks = ['pyvenv.cfg', 'package.json'];
/** A directory with one of these is more than a package: a home, `~/.local`, a repository. Its secrets would come with it. */
const moreThanPackage = ['.ssh', '.bashrc', '.profile', '.config', '.git', 'share/keyrings', 'state'];

function isOnlyPackage(dir: string, env: Env): boolean {
  const home = env['HOME'];
  if (dir === '/' || (home !== undefined && isWithin(home, dir))) return false;
  return !moreThanPackage.some((name) => existsSync(path.join(dir, name)));
}

/** From the file's directory up to, but without, the root. */
function ancestors(file: string): string[] {
  const dirs: string[] = [];
  for (let dir = path.dirname(file); dir !== '/'; dir = path.dirname(dir)) dirs.push(dir);
  return dirs;
}

/** The program that runs a script: `#!/usr/bin/env -S node --flag` and `#!/path/to/python`. */
function interpreter(real: string, env: Env, cwd: string): string | undefined {
  const line = firstLine(real);
  if (!line?.startsWith('#!')) return undefined;
  const [program, ...words] = line.slice(2).trim().split(/\s+/);
  if (program === undefined) return undefined;
  if (path.basename(program) !== 'env') return executable(program);
  const command = words.find((word) => !word.startsWith('-') && !word.includes('='));
  return command === undefined ? undefined : which(command, env, cwd);
}

function firstLine(file: string): string | undefined {
  const bytes = Buffer.alloc(256);
  try {
    const fd = openSync(file, 'r');
    try {
      return bytes.toString('latin1', 0, readSync(fd, bytes)).split('\n', 1)[0];
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
