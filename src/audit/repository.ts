// What a repository brings along that steers agents: their settings, servers, hooks, instructions, skills, commands and subagents at any depth,
// and the programs that these name. A person looks at it once and pins it; `run` compares.
import path from 'node:path';
import { hooksIn } from './hooks.ts';
import { type Doc, load } from './load.ts';
import { mcpServers } from './mcp.ts';
import { pinHash, pinLimitBytes, pinnedRoles } from './pins.ts';
import { diskTree, type Tree } from './read/tree.ts';
import { isBelow, walk } from './scan.ts';

export interface RepositoryFile {
  /** Relative to the workspace; absolute for a program outside. */
  readonly path: string;
  /** Hex; a few words instead where it cannot be read, so that a change of that shows, too. */
  readonly sha256: string;
  /** Of settings up to 256 KiB, to show a difference later. */
  readonly text: string | null;
}

const textLimit = 256 << 10;

/** @param workspace real path */
export function repositoryFiles(workspace: string, tree: Tree = diskTree()): readonly RepositoryFile[] {
  const { workspaces } = walk(tree, [workspace], [], () => {});
  const docs = load(tree, [], workspaces, []).filter(({ workspace: place, file }) => place !== undefined && pinnedRoles.has(file.role));
  const files = new Map<string, RepositoryFile>();
  for (const doc of docs) files.set(doc.path, settingsFile(tree, doc, workspace));
  for (const file of programsNamedIn(docs, workspace)) {
    if (files.has(file)) continue;
    const examined = tree.stat(file)?.kind === 'directory' ? undefined : tree.examine(file, pinLimitBytes, []);
    if (examined !== undefined) files.set(file, { path: within(file, workspace), sha256: examined.sha256, text: null });
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function settingsFile(tree: Tree, doc: Doc, workspace: string): RepositoryFile {
  const { path: file, text, fault } = doc;
  const sha256 = pinHash(tree, doc) ?? fault?.reason ?? 'it cannot be read';
  const isShown = fault?.kind !== 'read' && text.length <= textLimit && !text.includes('\ufffd');
  return { path: within(file, workspace), sha256, text: isShown ? text : null };
}

function within(file: string, workspace: string): string {
  return isBelow(file, workspace) ? path.posix.relative(workspace, file) : file;
}

/** Words of commands that are files: `node tools/server.mjs`, `./hook.sh`, `/opt/server/bin`. */
function programsNamedIn(docs: readonly Doc[], workspace: string): ReadonlySet<string> {
  const words = [
    ...hooksIn(docs).flatMap(({ command, doc }) => command.split(/[\s"'`;&|()<>]+/).map((word) => ({ word, doc }))),
    ...mcpServers(docs).flatMap(({ argv, doc }) => argv.map(({ value: word }) => ({ word, doc }))),
  ];
  return new Set(
    words.flatMap(({ word, doc }) => {
      const plain = word.replace(/^\$\{?(?:CLAUDE_PROJECT_DIR|workspaceFolder|PWD)\}?\//, './').replace(/^file:\/\//, '');
      if (plain === '' || !/^[\w./@+~-]+$/.test(plain) || plain.startsWith('~')) return [];
      if (plain.startsWith('/')) return [path.posix.normalize(plain)];
      return [workspace, doc.workspace?.path ?? workspace]
        .map((base) => path.posix.join(base, plain))
        .filter((file) => isBelow(file, workspace));
    }),
  );
}
