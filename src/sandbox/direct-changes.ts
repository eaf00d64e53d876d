// What a session in direct mode changed, told by looking at the workspace before and after; and the repositories it made are taken
// out of force: a host's git would run their hooks and whatever their configuration names.
import { type BigIntStats, chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, renameSync } from 'node:fs';
import path from 'node:path';
import { forbiddenReason, type View } from './forbidden.ts';
import { commonDirectory, gitPlaces, isInOpenRepository, repositoriesByContent, repositoriesIn, stepsDirectories } from './git-place.ts';
import type { Protection } from './protection.ts';
import { sensitiveReason } from './sensitive.ts';
import { workspaceTree } from './workspace-tree.ts';

export interface FileChanges {
  readonly changed: number;
  readonly added: number;
  readonly deleted: number;
  /** What can run or steer something later. */
  readonly sensitive: readonly string[];
  /** What `apply` would never bring back, where it is in the workspace already. */
  readonly forbidden?: readonly Forbidden[];
  /** What was taken out of force, by its new name. */
  readonly disarmed: readonly string[];
}

export interface Forbidden {
  readonly path: string;
  readonly why: string;
}

/** What was known of the workspace when the session began. */
type Start = Pick<Protection, 'before' | 'closed' | 'repositories' | 'beganNs' | 'without'>;

export function directChanges(workspace: string, start: Start): FileChanges {
  const { before, beganNs } = start;
  const disarmed = disarm(workspace, start);
  const { names, closed } = workspaceTree(workspace);
  const after = start.without(names);
  const added = [...after].filter((file) => !before.has(file));
  const changed = [...after].filter((file) => before.has(file) && isChanged(path.join(workspace, file), beganNs));
  const touched = [...changed, ...added].sort();
  const view = viewOf(workspace);
  // What lies in one is not known: git finds it by name where it may be entered.
  const unseen = [...closed].map((directory) => directory || '.');
  return {
    changed: changed.length,
    added: added.length,
    deleted: [...before].filter((file) => !after.has(file)).length,
    sensitive: [...new Set([...touched.filter((file) => isSensitive(file, before, after)), ...unseen])].sort(),
    forbidden: touched.flatMap((file) => forbiddenAt(file, view)),
    disarmed,
  };
}

function viewOf(workspace: string): View {
  return {
    workspace,
    targetOf: (file) => (nodeAt(workspace, file)?.isSymbolicLink() ? readlinkSync(path.join(workspace, file)) : undefined),
  };
}

function forbiddenAt(file: string, view: View): Forbidden[] {
  try {
    const node = nodeAt(view.workspace, file);
    const why = node && forbiddenReason(file, node, view);
    return why === undefined ? [] : [{ path: file, why }];
  } catch {
    return [{ path: file, why: 'it cannot be looked at' }];
  }
}

function nodeAt(workspace: string, file: string): BigIntStats | undefined {
  return lstatSync(path.join(workspace, file), { bigint: true, throwIfNoEntry: false });
}

function isSensitive(file: string, before: ReadonlySet<string>, after: ReadonlySet<string>): boolean {
  const sight = { isThere: (place: string) => after.has(place), wasThere: (place: string) => before.has(place) };
  return sensitiveReason(file) !== undefined || isInOpenRepository(file, sight);
}

function isChanged(file: string, beganNs: bigint): boolean {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat !== undefined && !stat.isDirectory() && stat.ctimeNs >= beganNs;
}

/** Of a directory: its mode, or what is directly in it. */
function isTouched(directory: string, beganNs: bigint): boolean {
  const stat = lstatSync(directory, { bigint: true, throwIfNoEntry: false });
  return stat !== undefined && stat.ctimeNs >= beganNs;
}

/**
 * A repository that was not there before is looked at as a whole; of one that was, what is new in it: what it had is mounted read-only.
 * @returns what was renamed, by its new name
 */
function disarm(workspace: string, { before, closed, repositories: known, beganNs }: Start): string[] {
  // One that was closed at the start stays so, unless it was touched.
  const { names: after } = workspaceTree(
    workspace,
    (directory) =>
      (!closed.has(directory) || isTouched(path.join(workspace, directory), beganNs)) && openedUp(path.join(workspace, directory)),
  );
  const places = gitPlaces(after);
  const isDirectory = (git: string): boolean => lstatSync(path.join(workspace, git)).isDirectory();
  // A file or link that says where the repository is, where there was none or a directory: the agent chose the place.
  const links = places
    .filter((git) => !isDirectory(git) && (!before.has(git) || known.has(git) || isChanged(path.join(workspace, git), beganNs)))
    .map((git) => renameAway(workspace, git));
  const found = [...places.flatMap((git) => repositoriesIn(workspace, git)), ...repositoriesByContent(after)];
  const repositories = new Set(found.map((repository) => path.join(workspace, repository)));
  // From the bottom up: one may lie in what is renamed of another.
  const disarmed = [...new Set(found)]
    .sort()
    .reverse()
    .flatMap((repository) => {
      const isFresh = (file: string): boolean =>
        !known.has(repository) || !before.has(file) || isChanged(path.join(workspace, file), beganNs);
      return parts
        .map(({ name, isHarmless }) => ({ file: path.join(repository, name), isHarmless }))
        .filter(({ file, isHarmless }) => isFresh(file) && !isHarmless(path.join(workspace, file), repositories))
        .map(({ file }) => renameAway(workspace, file));
    });
  return [...disarmed, ...links];
}

/** What of a repository runs or redirects something, and when it does not. */
const parts: readonly { readonly name: string; isHarmless(file: string, repositories: ReadonlySet<string>): boolean }[] = [
  { name: 'hooks', isHarmless: (directory) => !hooksIn(directory) },
  { name: 'config', isHarmless: isPlainConfig },
  { name: 'config.worktree', isHarmless: isPlainConfig },
  { name: commonDirectory, isHarmless: isOwnRepository },
  ...stepsDirectories.map((name) => ({ name, isHarmless: isAbsent })),
];

function isAbsent(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) === undefined;
}

/**
 * As git writes it for a worktree: `../..`, from `worktrees/NAME` of a repository that is looked at by itself. Git drops line ends
 * only (get_common_dir_noenv in its setup.c): with any other blank it is the name of another directory.
 */
function isOwnRepository(file: string, repositories: ReadonlySet<string>): boolean {
  const worktrees = path.dirname(path.dirname(file));
  const isOwn = path.basename(worktrees) === 'worktrees' && repositories.has(path.dirname(worktrees));
  const text = smallText(file);
  return text === '' || (isOwn && text !== undefined && /^\.\.\/\.\.[\r\n]*$/.test(text));
}

/** Empty when there is no such file; `undefined` for what is none, too long, or cannot be read. As bytes: each is one character. */
function smallText(file: string): string | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return '';
  if (!stat.isFile() || stat.size > 1 << 16) return undefined;
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

const suffix = '.disarmed-by-intramur';

/** The agent may have put something at the new name, or closed the directory. */
function renameAway(workspace: string, file: string): string {
  let free = file + suffix;
  for (let i = 2; lstatSync(path.join(workspace, free), { throwIfNoEntry: false }); i++) free = `${file}${suffix}-${i}`;
  const [from, to] = [path.join(workspace, file), path.join(workspace, free)];
  try {
    renameSync(from, to);
  } catch (fault) {
    if (!openedUp(path.dirname(from))) throw fault;
    renameSync(from, to);
  }
  return free;
}

/** For its owner. A directory that can be entered and not read would hide from us what git finds by name. */
function openedUp(directory: string): boolean {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (!stat?.isDirectory() || (stat.mode & 0o700) === 0o700) return false;
  try {
    chmodSync(directory, (stat.mode & 0o777) | 0o700);
    return true;
  } catch {
    return false;
  }
}

/** The samples that git itself puts there are not run. What is no directory of its own may lead to another one tomorrow. */
function hooksIn(directory: string): boolean {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat !== undefined;
  try {
    return readdirSync(directory).some((name) => !name.endsWith('.sample'));
  } catch {
    return true;
  }
}

/** Keys that name no program, no other file and no other repository to take configuration from. */
const plainKeys: Readonly<Record<string, RegExp>> = {
  core: /^(?:repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol|sparsecheckout|sparsecheckoutcone)$/,
  remote: /^(?:url|fetch|pushurl|tagopt|prune)$/,
  branch: /^(?:remote|merge|rebase|description)$/,
  user: /^(?:name|email)$/,
  index: /^sparse$/,
  init: /^defaultbranch$/,
  pull: /^(?:rebase|ff)$/,
  submodule: /^(?:url|active|path|branch)$/,
};

/** A configuration (git-config(1)) of plain keys only, with the blanks that git knows. Anything that this reading does not understand is not plain. */
function isPlainConfig(file: string): boolean {
  let keys: RegExp | undefined;
  const text = smallText(file);
  if (text === undefined) return false;
  return text.split('\n').every((raw) => {
    const line = raw.replace(/^[ \t\r]+|[ \t\r]+$/g, '');
    if (line === '' || line.startsWith('#') || line.startsWith(';')) return true;
    const section = /^\[(?<name>[a-z]+)(?:[ \t]+"(?:[^"\\]|\\.)*")?\]$/i.exec(line)?.groups?.['name'];
    if (section !== undefined) {
      keys = plainKeys[section.toLowerCase()];
      return keys !== undefined;
    }
    const entry = /^(?<key>[a-z][a-z0-9-]*)[ \t]*=[ \t]*(?<value>.*)$/i.exec(line);
    // `ext::` and friends make a URL a command line, with quotes anywhere in it.
    const isCommand = /^[^/]*::/.test((entry?.groups?.['value'] ?? '').replaceAll(/["\\]/g, '')) || line.endsWith('\\');
    return keys !== undefined && entry !== null && keys.test((entry.groups?.['key'] ?? '').toLowerCase()) && !isCommand;
  });
}
