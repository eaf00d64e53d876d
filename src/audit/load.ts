// Reads the files that the catalogue names and parses them as their agents do. What is there and cannot be read or parsed stays in the
// list with its fault: it becomes a finding, never a gap.
import { type CatalogueEntry, type CatalogueFile, catalogue, type Format, type Scope } from './catalogue/index.ts';
import { json5, jsonc, jsonWithComments, parseJson, strictJson } from './read/json.ts';
import type { Node, Parsed } from './read/node.ts';
import { parseToml } from './read/toml.ts';
import type { EntryStat, ReadFault, Tree } from './read/tree.ts';
import { parseYaml } from './read/yaml.ts';
import type { Workspace } from './scan.ts';

export interface Doc {
  readonly agent: CatalogueEntry;
  readonly file: CatalogueFile;
  /** Path inside the tree. */
  readonly path: string;
  readonly scope: Scope;
  /** `undefined` for files of the user and the system. */
  readonly workspace: Workspace | undefined;
  readonly home: string | undefined;
  readonly stat: EntryStat;
  readonly text: string;
  readonly root: Node | undefined;
  readonly fault: { readonly kind: 'read' | 'parse'; readonly line: number; readonly reason: string } | undefined;
}

const sizeLimits: Readonly<Record<CatalogueFile['role'], number>> = {
  settings: 8 << 20,
  mcp: 4 << 20,
  hooks: 4 << 20,
  secrets: 1 << 20,
  instructions: 1 << 20,
  skill: 512 << 10,
  code: 512 << 10,
  memory: 1 << 20,
  transcript: 4 << 20,
};
const globLimits = { results: 400, visits: 4000, depth: 6 } as const;

/** VS Code and what was made from it keep their user files in directories of the same form. */
const codeNames = [
  'Code',
  'Code - Insiders',
  'Code - OSS',
  'VSCodium',
  'Cursor',
  'Windsurf',
  'Trae',
  'Kiro',
  'Qoder',
  'Antigravity',
] as const;
const codeDirectories: readonly string[] = [
  ...codeNames.flatMap((name) => [
    `~/.config/${name}/User`,
    `~/Library/Application Support/${name}/User`,
    `~/AppData/Roaming/${name}/User`,
  ]),
  '~/.vscode-server/data/User',
];

export interface Loader {
  readonly docs: readonly Doc[];
}

export interface Relocation {
  /** `~/.claude` -> the directory that an environment variable names. */
  readonly from: string;
  readonly to: string;
}

/** Environment variables that move an agent's directory; they count only when this machine's own user is audited. */
export const relocations: readonly (readonly [variable: string, from: string])[] = [
  ['CLAUDE_CONFIG_DIR', '~/.claude'],
  ['CODEX_HOME', '~/.codex'],
  ['QWEN_HOME', '~/.qwen'],
  ['COPILOT_HOME', '~/.copilot'],
  ['VIBE_HOME', '~/.vibe'],
  ['GROK_HOME', '~/.grok'],
  ['CONTINUE_GLOBAL_DIR', '~/.continue'],
  ['KIMI_SHARE_DIR', '~/.kimi'],
  ['CODEBUDDY_CONFIG_DIR', '~/.codebuddy'],
  ['XDG_CONFIG_HOME', '~/.config'],
];

export function load(
  tree: Tree,
  homes: readonly string[],
  workspaces: readonly Workspace[],
  moved: readonly Relocation[],
  onAgent: (name: string, index: number) => void = () => {},
): readonly Doc[] {
  const docs: Doc[] = [];
  const cache = new Map<string, ReturnType<typeof open>>();
  const exists = new Map<string, boolean>();
  const add = (
    agent: CatalogueEntry,
    file: CatalogueFile,
    path: string,
    workspace: Workspace | undefined,
    home: string | undefined,
  ): void => {
    const key = `${file.format}\0${path}`;
    const opened = cache.get(key) ?? open(tree, path, file);
    cache.set(key, opened);
    if (opened !== undefined) docs.push({ agent, file, path, scope: file.scope, workspace, home, ...opened });
  };
  const byName = new Map<string, Workspace[]>();
  for (const workspace of workspaces) {
    for (const name of workspace.names) {
      const same = byName.get(name);
      if (same === undefined) byName.set(name, [workspace]);
      else same.push(workspace);
    }
  }
  for (const [index, agent] of catalogue.entries()) {
    onAgent(agent.name, index);
    for (const file of agent.files) {
      if (file.scope === 'project' || file.scope === 'local') {
        const [first = ''] = file.path.split('/');
        for (const workspace of byName.get(first) ?? []) {
          for (const path of expand(tree, join(workspace.path, file.path))) add(agent, file, path, workspace, undefined);
        }
      } else if (file.path.startsWith('/')) {
        for (const path of expand(tree, file.path)) add(agent, file, path, undefined, undefined);
      } else {
        for (const home of homes) {
          for (const pattern of userPatterns(file.path, moved)) {
            const place = pattern.startsWith('~/') ? join(home, pattern.slice(2)) : pattern;
            if (!isWorthLooking(tree, exists, home, place)) continue;
            for (const path of expand(tree, place)) add(agent, file, path, undefined, home);
          }
        }
      }
    }
  }
  return docs;
}

function userPatterns(pattern: string, moved: readonly Relocation[]): readonly string[] {
  const all = pattern.startsWith('code:') ? codeDirectories.map((dir) => `${dir}/${pattern.slice(5)}`) : [pattern];
  return all.map((one) => {
    const move = moved.find(({ from }) => one === from || one.startsWith(`${from}/`));
    return move === undefined ? one : move.to + one.slice(move.from.length);
  });
}

/** One look at the first directory below the home saves looks at everything under it. */
function isWorthLooking(tree: Tree, exists: Map<string, boolean>, home: string, place: string): boolean {
  if (!place.startsWith(`${home}/`)) return true;
  const parts = place.slice(home.length + 1).split('/');
  let dir = home;
  for (const part of parts.slice(0, 3)) {
    if (part.includes('*')) return true;
    dir = join(dir, part);
    const known = exists.get(dir) ?? tree.stat(dir) !== undefined;
    exists.set(dir, known);
    if (!known) return false;
  }
  return true;
}

export function isThere(tree: Tree, path: string): boolean {
  return tree.stat(path) !== undefined;
}

export function join(dir: string, rest: string): string {
  return dir === '/' ? `/${rest}` : `${dir}/${rest}`;
}

/** Reads and parses one file; `undefined` when it is not there. */
function open(tree: Tree, path: string, file: CatalogueFile): Pick<Doc, 'stat' | 'text' | 'root' | 'fault'> | undefined {
  const stat = tree.stat(path);
  if (stat === undefined) return undefined;
  if (stat.kind === 'directory' && file.format === 'text') return undefined;
  const read = tree.read(path, sizeLimits[file.role]);
  if (read.fault === 'missing') return undefined;
  if (read.fault !== undefined)
    return { stat, text: '', root: undefined, fault: { kind: 'read', line: 1, reason: explain(read.fault, sizeLimits[file.role]) } };
  const text = read.bytes.toString('utf8');
  if (file.format === 'text') return { stat, text, root: undefined, fault: undefined };
  const parsed = parse(text, file.format);
  return parsed.fault === undefined
    ? { stat, text, root: parsed.root, fault: undefined }
    : { stat, text, root: undefined, fault: { kind: 'parse', ...parsed.fault } };
}

/** A fault of reading, as it stands in a finding. */
export function explain(fault: ReadFault, limit: number): string {
  switch (fault) {
    case 'unreadable':
      return 'it cannot be read (permissions)';
    case 'too-large':
      return `it is larger than ${limit >> 10} KiB`;
    case 'not-a-file':
      return 'it is no regular file';
    case 'changed':
      return 'it changed while it was read';
    case 'loop':
      return 'its link leads nowhere, or in a circle';
    case 'outside':
      return 'its link leads out of the tree';
  }
}

export function parse(text: string, format: Exclude<Format, 'text'>): Parsed {
  switch (format) {
    case 'json':
      return parseJson(text, strictJson);
    case 'json-comments':
      return parseJson(text, jsonWithComments);
    case 'jsonc':
      return parseJson(text, jsonc);
    case 'json5':
      return parseJson(text, json5);
    case 'toml':
      return parseToml(text);
    case 'yaml':
      return parseYaml(text);
  }
}

/** Paths that match a pattern with `*` in names and `**` for directories, bounded in results, visits and depth. */
export function expand(tree: Tree, pattern: string): readonly string[] {
  if (!pattern.includes('*')) return [pattern];
  const segments = pattern.split('/').slice(1);
  const found: string[] = [];
  let visits = 0;
  const visit = (dir: string, index: number, depth: number): void => {
    if (found.length >= globLimits.results || ++visits > globLimits.visits) return;
    const segment = segments[index];
    if (segment === undefined) return;
    const isLast = index === segments.length - 1;
    if (!segment.includes('*')) {
      const next = join(dir, segment);
      if (isLast) {
        if (tree.stat(next) !== undefined) found.push(next);
      } else visit(next, index + 1, depth);
      return;
    }
    const entries = tree.list(dir);
    if (typeof entries === 'string') return;
    const shape =
      segment === '**'
        ? undefined
        : new RegExp(
            `^${segment
              .split('*')
              .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
              .join('.*')}$`,
          );
    for (const entry of entries) {
      const next = join(dir, entry.name);
      if (shape === undefined) {
        if (isLast && !entry.isDirectory()) found.push(next);
        if (entry.isDirectory() && depth < globLimits.depth) visit(next, index, depth + 1);
      } else if (shape.test(entry.name)) {
        if (isLast) {
          if (!entry.isDirectory()) found.push(next);
        } else if (!entry.isFile()) visit(next, index + 1, depth);
      }
    }
    if (shape === undefined && !isLast) visit(dir, index + 1, depth);
  };
  visit('', 0, 0);
  return [...new Set(found)].sort();
}
