// What a session in direct mode changed, told by looking at the workspace before and after; and the repositories it made are taken
// out of force: a host's git would run their hooks and whatever their configuration names.
import { lstatSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { gitPlaces, repositoriesIn } from './git-place.ts';
import { sensitiveReason } from './sensitive.ts';
import { workspaceTree } from './workspace-tree.ts';

export interface FileChanges {
  readonly changed: number;
  readonly added: number;
  readonly deleted: number;
  /** What can run or steer something later. */
  readonly sensitive: readonly string[];
  /** What was taken out of force, by its new name. */
  readonly disarmed: readonly string[];
}

/** @param before the names at the start; @param beganNs the start, by the clock of the file system */
export function directChanges(workspace: string, before: ReadonlySet<string>, beganNs: bigint): FileChanges {
  const disarmed = disarm(workspace, before);
  const after = workspaceTree(workspace);
  const added = [...after].filter((file) => !before.has(file));
  const changed = [...after].filter((file) => before.has(file) && isChanged(path.join(workspace, file), beganNs));
  return {
    changed: changed.length,
    added: added.length,
    deleted: [...before].filter((file) => !after.has(file)).length,
    sensitive: [...changed, ...added].filter((file) => sensitiveReason(file) !== undefined).sort(),
    disarmed,
  };
}

function isChanged(file: string, beganNs: bigint): boolean {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat !== undefined && !stat.isDirectory() && stat.ctimeNs >= beganNs;
}

const suffix = '.disarmed-by-intramur';

/** @returns what was renamed, by its new name */
function disarm(workspace: string, before: ReadonlySet<string>): string[] {
  const renamed: string[] = [];
  const rename = (file: string): void => {
    renameSync(path.join(workspace, file), path.join(workspace, file + suffix));
    renamed.push(file + suffix);
  };
  for (const git of gitPlaces(workspaceTree(workspace)).filter((place) => !before.has(place))) {
    const stat = lstatSync(path.join(workspace, git));
    // A file or link that says where the repository is: the agent chose the place.
    if (!stat.isDirectory()) rename(git);
    else {
      for (const repository of repositoriesIn(workspace, git)) {
        if (hooksIn(path.join(workspace, repository, 'hooks'))) rename(`${repository}/hooks`);
        if (!isPlainConfig(path.join(workspace, repository, 'config'))) rename(`${repository}/config`);
      }
    }
  }
  return renamed;
}

/** The samples that git itself puts there are not run. */
function hooksIn(directory: string): boolean {
  try {
    return readdirSync(directory).some((name) => !name.endsWith('.sample'));
  } catch {
    return lstatSync(directory, { throwIfNoEntry: false }) !== undefined;
  }
}

/** Keys that name no program, no other file and no other repository to take configuration from. */
const plainKeys: Readonly<Record<string, RegExp>> = {
  core: /^(?:repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol)$/,
  remote: /^(?:url|fetch|pushurl|tagopt|prune)$/,
  branch: /^(?:remote|merge|rebase|description)$/,
  user: /^(?:name|email)$/,
  init: /^defaultbranch$/,
  pull: /^(?:rebase|ff)$/,
  submodule: /^(?:url|active|path|branch)$/,
};

/** A configuration (git-config(1)) of plain keys only. Anything that this reading does not understand is not plain. */
function isPlainConfig(file: string): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return true;
  if (!stat.isFile() || stat.size > 1 << 16) return false;
  let keys: RegExp | undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .every((raw) => {
      const line = raw.trim();
      if (line === '' || line.startsWith('#') || line.startsWith(';')) return true;
      const section = /^\[(?<name>[a-z]+)(?:\s+"(?:[^"\\]|\\.)*")?\]$/i.exec(line)?.groups?.['name'];
      if (section !== undefined) {
        keys = plainKeys[section.toLowerCase()];
        return keys !== undefined;
      }
      const entry = /^(?<key>[a-z][a-z0-9-]*)\s*=\s*(?<value>.*)$/i.exec(line);
      // `ext::` and friends make a URL a command line.
      const isCommand = /^\s*["']?\w+::/.test(entry?.groups?.['value'] ?? '') || line.endsWith('\\');
      return keys !== undefined && entry !== null && keys.test((entry.groups?.['key'] ?? '').toLowerCase()) && !isCommand;
    });
}
