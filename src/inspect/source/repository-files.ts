// Which files of a repository are its own source. Git knows what is ignored and what a submodule is; without git the usual places
// of foreign code are left out.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { IntramurError } from '../../core/index.ts';

const LARGEST_FILE = 4 << 20;
const SAMPLE = 8192;

/** Written by tools or by others: indexing it would make public code look like ours. */
const foreign =
  /(?:^|\/)(?:node_modules|bower_components|vendor|third_party|\.git|\.venv|site-packages)\/|(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|Gemfile\.lock|composer\.lock|poetry\.lock|go\.sum|LICENSE[^/]*|COPYING[^/]*)$|\.(?:min\.js|min\.css|map|svg|lock)$/i;

/** Relative paths with forward slashes, sorted. Throws CONFIG_NOT_FOUND when the repository is not there. */
export function repositoryFiles(root: string): string[] {
  if (!isDirectory(root)) throw new IntramurError('CONFIG_NOT_FOUND', `${root} is no directory`);
  const listed = gitFiles(root) ?? walk(root);
  return [...new Set(listed)].filter((file) => !foreign.test(file)).toSorted();
}

export function isDirectory(place: string): boolean {
  try {
    return fs.statSync(place).isDirectory();
  } catch {
    return false;
  }
}

/** The text of a file, or `undefined` when it is no text, too large, a link, or gone. */
export function readSource(root: string, file: string): Buffer | undefined {
  const full = path.join(root, file);
  try {
    const stat = fs.lstatSync(full);
    if (!stat.isFile() || stat.size === 0 || stat.size > LARGEST_FILE) return undefined;
    const bytes = fs.readFileSync(full);
    return bytes.subarray(0, SAMPLE).includes(0) ? undefined : bytes;
  } catch {
    return undefined;
  }
}

function gitFiles(root: string): string[] | undefined {
  const tracked = git(root, ['ls-files', '-z', '--cached', '--recurse-submodules']);
  const untracked = git(root, ['ls-files', '-z', '--others', '--exclude-standard']);
  if (tracked === undefined || untracked === undefined) return undefined;
  return [...tracked, ...untracked];
}

function git(root: string, args: readonly string[]): string[] | undefined {
  // INVARIANT: nothing that the repository configures may run: no hooks, no file system monitor, no pager.
  const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.pager=cat', '-c', 'safe.directory=*'];
  const { status, stdout } = spawnSync('git', [...safe, '-C', root, ...args], {
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], GIT_OPTIONAL_LOCKS: '0', GIT_CONFIG_NOSYSTEM: '1' },
  });
  return status === 0 ? stdout.toString().split('\0').filter(Boolean) : undefined;
}

function walk(root: string): string[] {
  const files: string[] = [];
  const visit = (directory: string) => {
    for (const entry of fs.readdirSync(path.join(root, directory), { withFileTypes: true })) {
      const name = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory() && !foreign.test(`${name}/`)) visit(name);
      else if (entry.isFile()) files.push(name);
    }
  };
  visit('');
  return files;
}
