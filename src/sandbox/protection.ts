// Direct mode: the workspace is the real one, so what would run later without anyone asking is mounted read-only. A path is only
// safe with its ancestors: each is mounted on itself, because a directory that is a mount cannot be renamed away.
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../core/index.ts';
import type { GitOutside } from './git-outside.ts';
import { gitPlaces, hasHead, repositoriesByContent, repositoriesIn } from './git-place.ts';
import { claimWorkspace } from './in-use.ts';
import { depthOf, type Mount } from './mount.ts';
import { Placeholders } from './placeholders.ts';
import { pinnedPaths } from './sensitive.ts';
import { type WorkspaceTree, workspaceTree } from './workspace-tree.ts';

export interface Protection {
  readonly mounts: readonly Mount[];
  /** Names in the workspace, and the time by the clock of the file system, before anything was made. */
  readonly before: ReadonlySet<string>;
  /** Directories that could not be looked into. */
  readonly closed: ReadonlySet<string>;
  /** Those whose hooks and configuration are read-only where they exist, relative to the workspace. */
  readonly repositories: ReadonlySet<string>;
  readonly beganNs: bigint;
  /** Of the names found in the workspace, those that are not there only for other sessions to mount on. */
  without(names: ReadonlySet<string>): ReadonlySet<string>;
  /** Removes what was made to be mounted on. */
  release(): void;
}

interface Additions {
  /** Sealed directories, relative to the workspace, that the program may add to. */
  readonly scratch: readonly string[];
  readonly tmpfsBytes: number;
  /** The git directory of the workspace, where it lies elsewhere. */
  readonly git?: GitOutside | undefined;
}

const noAdditions: Additions = { scratch: [], tmpfsBytes: 0 };

interface Guarded {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** @param cacheDir remembers what was made on the host, so that a crash leaves nothing for good */
export function protect(workspace: string, cacheDir: string, additions: Additions = noAdditions): Protection {
  const giveBack = claimWorkspace(cacheDir, workspace, 'direct');
  try {
    const protection = protectClaimed(workspace, cacheDir, additions);
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

function protectClaimed(workspace: string, cacheDir: string, additions: Additions): Protection {
  const placeholders = new Placeholders(workspace, cacheDir);
  const tree = workspaceTree(workspace);
  return placeholders.alone(() =>
    protectTree(workspace, { ...tree, names: placeholders.without(tree.names) }, { placeholders, additions }),
  );
}

function protectTree(
  workspace: string,
  { names: before, closed }: WorkspaceTree,
  { placeholders, additions: { scratch, tmpfsBytes, git } }: { readonly placeholders: Placeholders; readonly additions: Additions },
): Protection {
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
    mounts: [...mounts, ...excluded(workspace, git, placeholders.files())],
    before,
    closed,
    repositories: new Set([...named, ...open]),
    beganNs: placeholders.madeAtNs,
    without: (names) => placeholders.without(names),
    release() {
      try {
        placeholders.alone(() => placeholders.release());
      } catch {
        // It stays recorded, and the next session removes it.
      }
    },
  };
}

/** Inside, git is told not to list what is there only to be mounted on: `git add -A` would commit it. */
function excluded(workspace: string, git: GitOutside | undefined, files: readonly string[]): Mount[] {
  const top = git?.top ?? workspace;
  const place = git?.directory ?? path.join(workspace, '.git');
  const file = path.join(place, 'info/exclude');
  const isThere = [place, path.dirname(file)].every((one) => lstatSync(one, { throwIfNoEntry: false })?.isDirectory());
  if (files.length === 0 || !isThere || !lstatSync(file, { throwIfNoEntry: false })?.isFile()) return [];
  const names = files.map((one) => `/${path.relative(top, path.join(workspace, one))}\n`).join('');
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
