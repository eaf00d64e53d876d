// Direct mode: the workspace is the real one, so what would run later without anyone asking is mounted read-only. A path is only
// safe with its ancestors: each is mounted on itself, because a directory that is a mount cannot be renamed away.
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import { gitPlaces, hasHead, repositoriesByContent, repositoriesIn } from './git-place.ts';
import { claimWorkspace } from './in-use.ts';
import { depthOf, type Mount } from './mount.ts';
import { pinnedPaths } from './sensitive.ts';
import { workspaceTree } from './workspace-tree.ts';

export interface Protection {
  readonly mounts: readonly Mount[];
  /** Names in the workspace, and the time by the clock of the file system, before anything was made. */
  readonly before: ReadonlySet<string>;
  /** Directories that could not be looked into. */
  readonly closed: ReadonlySet<string>;
  /** Those whose hooks and configuration are read-only where they exist, relative to the workspace. */
  readonly repositories: ReadonlySet<string>;
  readonly beganNs: bigint;
  /** Removes what was made to be mounted on. */
  release(): void;
}

interface Additions {
  /** Sealed directories, relative to the workspace, that the program may add to. */
  readonly scratch: readonly string[];
  readonly tmpfsBytes: number;
}

const noAdditions: Additions = { scratch: [], tmpfsBytes: 0 };

interface Guarded {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** @param cacheDir remembers what was made on the host, so that a crash leaves nothing for good */
export function protect(workspace: string, cacheDir: string, { scratch, tmpfsBytes }: Additions = noAdditions): Protection {
  const giveBack = claimWorkspace(cacheDir, workspace, 'direct');
  try {
    const protection = protectClaimed(workspace, cacheDir, { scratch, tmpfsBytes });
    return {
      ...protection,
      release() {
        protection.release();
        giveBack();
      },
    };
  } catch (fault) {
    giveBack();
    throw fault;
  }
}

function protectClaimed(workspace: string, cacheDir: string, { scratch, tmpfsBytes }: Additions): Protection {
  const placeholders = new Placeholders(workspace, cacheDir);
  const { names: before, closed } = workspaceTree(workspace);
  const named = gitPlaces(before).flatMap((git) => repositoriesIn(workspace, git));
  const open = repositoriesByContent(before);
  const guarded = guardedPaths(workspace, before, { named, open });
  // Below a read-only directory everything is read-only.
  const sealed = guarded.map((one) => one.path).filter((file) => !guarded.some((other) => file.startsWith(`${other.path}/`)));
  const pins = new Set<string>();
  for (const file of sealed) {
    if (lstatSync(path.join(workspace, file), { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new IntramurError('SANDBOX_SETUP', `${file} is a symbolic link, which a mount cannot protect`, {
        hint: 'intramur run --mode overlay -- …',
      });
    }
    for (let up = path.dirname(file); up !== '.'; up = path.dirname(up)) pins.add(up);
  }
  const made = guarded.filter((one) => sealed.includes(one.path) && !existsSync(path.join(workspace, one.path)));
  const bind = (file: string, isWritable: boolean): Mount => {
    const at = path.join(workspace, file);
    return { kind: 'bind', source: at, path: at, isWritable };
  };
  /** A directory that may be added to: what is there stays as it is, what is new is in memory and never on the host. */
  const added = (file: string): Mount[] => {
    const at = path.join(workspace, file);
    const children = existsSync(at) ? readdirSync(at).filter((name) => !lstatSync(path.join(at, name)).isSymbolicLink()) : [];
    return [{ kind: 'tmpfs', path: at, bytes: tmpfsBytes, mode: 0o755 }, ...children.map((name) => bind(path.join(file, name), false))];
  };
  const mounts: Mount[] = [
    ...[...pins].map((pin) => bind(pin, true)),
    ...sealed.flatMap((file) =>
      scratch.includes(file) && !made.some((one) => one.path === file && !one.isDirectory) ? added(file) : [bind(file, false)],
    ),
    ...excluded(
      workspace,
      made.filter((one) => !one.isDirectory),
    ),
  ].sort((a, b) => depthOf(a.path) - depthOf(b.path));
  try {
    placeholders.make(made);
  } catch (cause) {
    placeholders.release();
    throw new IntramurError('SANDBOX_SETUP', `${workspace} cannot be protected path by path`, {
      cause,
      hint: 'intramur run --mode overlay -- …',
    });
  }
  return {
    mounts,
    before,
    closed,
    repositories: new Set([...named, ...open]),
    beganNs: placeholders.madeAtNs,
    release: () => placeholders.release(),
  };
}

/** Inside, git is told not to list what is there only to be mounted on: `git add -A` would commit it. */
function excluded(workspace: string, made: readonly Guarded[]): Mount[] {
  const file = path.join(workspace, '.git/info/exclude');
  if (
    made.length === 0 ||
    notDirectoryAbove(workspace, '.git/info/exclude') !== undefined ||
    !lstatSync(file, { throwIfNoEntry: false })?.isFile()
  )
    return [];
  const names = made.map((one) => `/${one.path}\n`).join('');
  return [{ kind: 'cover', path: file, content: Buffer.concat([readFileSync(file), Buffer.from(`\n${names}`)]) }];
}

interface Repositories {
  readonly named: readonly string[];
  /** Whatever they are called. */
  readonly open: readonly string[];
}

function guardedPaths(workspace: string, tree: ReadonlySet<string>, { named, open }: Repositories): Guarded[] {
  const guarded = new Map<string, Guarded>();
  const add = (file: string, isDirectory: boolean, isGuardedWhenAbsent = true): void => {
    const other = notDirectoryAbove(workspace, file);
    if (other !== undefined) return add(other, false);
    const stat = lstatSync(path.join(workspace, file), { throwIfNoEntry: false });
    if (stat || isGuardedWhenAbsent) guarded.set(file, { path: file, isDirectory: stat ? stat.isDirectory() : isDirectory });
  };
  // Without a repository at the top there is nothing to hook into; one that is made in the session is looked at afterwards.
  const hasGit = existsSync(path.join(workspace, '.git'));
  for (const one of pinnedPaths()) if (hasGit || !one.path.startsWith('.git/')) add(one.path, one.isDirectory, one.isGuardedWhenAbsent);
  for (const git of gitPlaces(tree)) {
    if (!statSync(path.join(workspace, git), { throwIfNoEntry: false })?.isDirectory()) add(git, false);
  }
  // In what is no repository yet nothing is made either.
  for (const repository of named) {
    add(path.join(repository, 'hooks'), true, hasHead(workspace, repository));
    add(path.join(repository, 'config'), false, hasHead(workspace, repository));
  }
  // One that is not called `.git`: nothing is made in it. What is made there in the session is looked at afterwards.
  for (const repository of open) {
    for (const name of ['hooks', 'config', 'config.worktree']) add(path.join(repository, name), name === 'hooks', false);
  }
  return [...guarded.values()];
}

/** The first of the path's ancestors that is something else than a directory: while it stands, nothing can be below it, so it is guarded itself. */
function notDirectoryAbove(workspace: string, file: string): string | undefined {
  let at = '';
  for (const part of file.split('/').slice(0, -1)) {
    at = path.join(at, part);
    const stat = lstatSync(path.join(workspace, at), { throwIfNoEntry: false });
    if (!stat?.isDirectory()) return stat && at;
  }
  return undefined;
}

/** A mount needs something to be mounted on. What is missing is made empty, recorded first, and removed again if it is still empty. */
class Placeholders {
  readonly #workspace: string;
  readonly #directory: string;
  readonly #journal: string;
  #paths: string[] = [];
  madeAtNs = 0n;

  constructor(workspace: string, cacheDir: string) {
    this.#workspace = workspace;
    this.#directory = path.join(
      cacheDir,
      'placeholders',
      process.getBuiltinModule('node:crypto').hash('sha256', workspace, 'hex').slice(0, 16),
    );
    this.#journal = path.join(this.#directory, `${process.pid}-${process.hrtime.bigint()}.json`);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    if (this.#others().length === 0) this.#sweep();
  }

  make(missing: readonly Guarded[]): void {
    const files = missing.map((one) => one.path);
    const directories = [...files.flatMap((file) => parentsOf(file)), ...missing.filter((one) => one.isDirectory).map((one) => one.path)];
    const absent = [...new Set(directories)].filter((dir) => !existsSync(path.join(this.#workspace, dir)));
    // What another session made is needed as long as this one runs, too.
    const inherited = this.#others().flatMap((other) => pathsOf(other));
    this.#paths = [...new Set([...inherited, ...absent, ...files])];
    writeFileSync(this.#journal, JSON.stringify(this.#paths), { mode: 0o600, flush: true });
    this.madeAtNs = statSync(this.#journal, { bigint: true }).ctimeNs;
    for (const dir of absent.sort((a, b) => depthOf(a) - depthOf(b))) mkdirSync(path.join(this.#workspace, dir));
    for (const { path: file, isDirectory } of missing) {
      if (!isDirectory) writeFileSync(path.join(this.#workspace, file), contentOf(file), { flag: 'wx' });
    }
  }

  /** INVARIANT: nothing that another session has mounted something on is removed: its protection would vanish with it. */
  release(): void {
    rmSync(this.#journal, { force: true });
    if (this.#others().length === 0) removeEmpty(this.#workspace, this.#paths);
  }

  /** Journals of sessions in this workspace that still run. */
  #others(): string[] {
    return readdirSync(this.#directory)
      .map((name) => path.join(this.#directory, name))
      .filter((file) => file !== this.#journal && existsSync(`/proc/${path.basename(file).split('-')[0]}`));
  }

  /** Removes what sessions that were killed have left. */
  #sweep(): void {
    for (const name of readdirSync(this.#directory)) {
      const file = path.join(this.#directory, name);
      removeEmpty(this.#workspace, pathsOf(file));
      rmSync(file, { force: true });
    }
  }
}

/** A reader of JSON is not to stumble over an empty file. */
const contentOf = (file: string): string => (/\.jsonc?$/.test(file) ? '{}\n' : '');

function parentsOf(file: string): string[] {
  const parents: string[] = [];
  for (let up = path.dirname(file); up !== '.'; up = path.dirname(up)) parents.push(up);
  return parents;
}

function removeEmpty(workspace: string, paths: readonly string[]): void {
  for (const file of [...paths].sort((a, b) => depthOf(b) - depthOf(a))) {
    const at = path.join(workspace, file);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    try {
      if (stat?.isDirectory()) rmdirSync(at);
      else if (stat?.isFile() && stat.size <= contentOf(file).length && readFileSync(at, 'utf8') === contentOf(file)) rmSync(at);
    } catch {
      // Not empty: somebody has put something there, which is theirs.
    }
  }
}

function pathsOf(journal: string): string[] {
  try {
    const value: unknown = JSON.parse(readFileSync(journal, 'utf8'));
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
