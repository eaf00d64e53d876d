// The walk over the disk: counts what it passes, finds workspaces, and never follows a link. Large caches are passed by; their names
// stand here.
import path from 'node:path';
import { catalogue } from './catalogue/index.ts';
import type { DirectoryEntry, Tree } from './read/tree.ts';

export interface Workspace {
  readonly path: string;
  /** Names in the directory itself, so that nothing is probed that is not there. */
  readonly names: ReadonlySet<string>;
  readonly isGit: boolean;
  /** Below a directory for documentation, examples, templates or tests: what stands here is not in force. */
  readonly isSample: boolean;
}

export interface Walk {
  readonly files: number;
  readonly dirs: number;
  readonly workspaces: readonly Workspace[];
  readonly faults: readonly { readonly path: string; readonly reason: string }[];
}

const passedBy = new Set([
  ...['node_modules', '.git', '__pycache__', 'site-packages', '.cache', 'Caches', '.npm', '.pnpm-store', '.yarn', '.gradle', '.m2'],
  ...['.rustup', '.Trash', 'Trash', '.tox', '.terraform', 'containers', '.hg', '.svn', '.nvm', '.pyenv', '.rbenv', '.conda', 'extensions'],
]);
const sampleDirectory =
  /^(docs?|documentation|examples?|samples?|templates?|fixtures?|tests?|__tests__|testdata|test-data|specs?|demos?)$/i;
const limits = { depth: 40, entries: 3_000_000, workspaces: 20_000 } as const;

/** First path segments of what agents read in a workspace, and of what else the rules look at there. */
const markers = new Set<string>(['.git', '.env', '.vscode', '.devcontainer', '.github']);
const agentDirectories = new Set<string>();
/** The same below the home: `.config/opencode`. */
const agentPaths = new Set<string>();
for (const { files, detect } of catalogue) {
  for (const { scope, path: pattern } of files) {
    const [first = ''] = pattern.split('/');
    if (scope === 'project' || scope === 'local') markers.add(first);
  }
  for (const dir of detect.dirs ?? []) (/^\.[\w-]+$/.test(dir) ? agentDirectories : agentPaths).add(dir);
}

/** How far a walk is. A directory's share is divided among what lies in it, so the sum is known although the number of files is not. */
export interface Walked {
  /** 0 to 1, never less than before. */
  readonly fraction: number;
  readonly files: number;
  readonly place: string;
}

/**
 * @param roots absolute paths inside the tree; one below another is walked once, and also where the other's walk would pass it by
 * @param last directories that are walked after all others: what is in them uses up no limit before the others are done
 */
export function walk(
  tree: Tree,
  roots: readonly string[],
  home: readonly string[],
  onProgress: (walked: Walked) => void,
  last: readonly string[] = [],
): Walk {
  let files = 0;
  let dirs = 0;
  const workspaces: Workspace[] = [];
  const faults: { path: string; reason: string }[] = [];
  const homes = new Set(home);
  const starts = [...new Set(roots)].filter((root, _, all) => !all.some((other) => other !== root && isReached(tree, root, other)));
  let fraction = 0;
  const stack: Step[] = starts.map((root) => ({
    path: root,
    share: 1 / starts.length,
    depth: 0,
    git: undefined as string | undefined,
    isSample: false,
  }));
  const given = new Set(roots);
  const later: Step[] = [];
  const own = new Set(home.flatMap((one) => [...agentPaths].map((dir) => `${one}/${dir}`)));
  for (let here = stack.pop(); here !== undefined; here = stack.pop() ?? later.pop()) {
    if (own.has(here.path) && !given.has(here.path)) {
      fraction += here.share;
      continue;
    }
    const entries = tree.list(here.path);
    if (typeof entries === 'string') {
      fraction += here.share;
      faults.push({ path: here.path, reason: entries === 'missing' ? 'it does not exist' : 'it cannot be read' });
      continue;
    }
    dirs++;
    if ((dirs & 63) === 0) onProgress({ fraction: Math.min(1, fraction), files, place: here.path });
    let isMarked = false;
    let isGit = false;
    for (const entry of entries) {
      if (markers.has(entry.name)) isMarked = true;
      if (entry.name === '.git') isGit = true;
    }
    const git = isGit ? here.path : here.git;
    // A directory for examples counts as such inside a repository only: ~/test/project is a project.
    const isSample =
      !isGit && (here.isSample || (git !== undefined && here.path !== git && sampleDirectory.test(path.posix.basename(here.path))));
    if ((isMarked || given.has(here.path)) && !homes.has(here.path) && here.path !== '/') {
      if (workspaces.length >= limits.workspaces) {
        faults.push({ path: here.path, reason: `the walk stopped here, after ${limits.workspaces} workspaces` });
        break;
      }
      workspaces.push({ path: here.path, names: new Set(entries.map(({ name }) => name)), isGit, isSample });
    }
    const below: Step[] = [];
    files += descend(entries, here, { git, isSample }, homes.has(here.path), below, faults);
    if (below.length === 0) fraction += here.share;
    for (const step of below) step.share = here.share / below.length;
    for (const step of below) (last.includes(step.path) ? later : stack).push(step);
    if (files > limits.entries) {
      faults.push({ path: here.path, reason: `the walk stopped here, after ${limits.entries} files` });
      break;
    }
  }
  return { files, dirs, workspaces: workspaces.sort((a, b) => (a.path < b.path ? -1 : 1)), faults };
}

interface Step {
  readonly path: string;
  /** Of the whole walk. */
  share: number;
  readonly depth: number;
  readonly git: string | undefined;
  readonly isSample: boolean;
}

/** Adds the subdirectories to `steps` and counts the files. */
function descend(
  entries: readonly DirectoryEntry[],
  here: Step,
  below: { readonly git: string | undefined; readonly isSample: boolean },
  isHome: boolean,
  steps: Step[],
  faults: { path: string; reason: string }[],
): number {
  let files = 0;
  for (const entry of entries) {
    if (!entry.isDirectory()) {
      files++;
      continue;
    }
    if (isPassedBy(entry.name) || (isHome && entry.name === 'Library')) continue;
    if (here.depth >= limits.depth) faults.push({ path: `${here.path}/${entry.name}`, reason: `deeper than ${limits.depth} directories` });
    else
      steps.push({ path: here.path === '/' ? `/${entry.name}` : `${here.path}/${entry.name}`, share: 0, depth: here.depth + 1, ...below });
  }
  return files;
}

/** Workspaces that are known by name, without a walk. */
export function named(tree: Tree, paths: readonly string[]): Walk {
  const workspaces = paths.flatMap((path): Workspace[] => {
    const entries = tree.list(path);
    if (typeof entries === 'string') return [];
    return [{ path, names: new Set(entries.map(({ name }) => name)), isGit: entries.some(({ name }) => name === '.git'), isSample: false }];
  });
  return { files: 0, dirs: workspaces.length, workspaces, faults: [] };
}

/** A walk from `outer` comes to `inner`: nothing on the way is passed by, and none of it is a link. */
function isReached(tree: Tree, inner: string, outer: string): boolean {
  if (!isBelow(inner, outer)) return false;
  const way = inner.slice(outer.length === 1 ? 0 : outer.length);
  const from = tree.resolve(outer);
  return from !== undefined && tree.resolve(inner) === (from === '/' ? way : from + way) && !way.split('/').some(isPassedBy);
}

function isPassedBy(name: string): boolean {
  return passedBy.has(name) || agentDirectories.has(name);
}

export function isBelow(inner: string, outer: string): boolean {
  return inner === outer || outer === '/' || inner.startsWith(`${outer}/`);
}
