// What a repository brings along that steers agents: their settings, servers and hooks at any depth, and the programs that these name. A
// person looks at it once and pins it; `run` compares.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { hooksIn } from './hooks.ts';
import { type Doc, load } from './load.ts';
import { mcpServers } from './mcp.ts';
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
const programLimit = 256 << 20;
const roles = new Set(['settings', 'mcp', 'hooks', 'code']);

/** @param workspace real path */
export function repositoryFiles(workspace: string, tree: Tree = diskTree()): readonly RepositoryFile[] {
  const { workspaces } = walk(tree, [workspace], [], () => {});
  const docs = load(tree, [], workspaces, []).filter(({ workspace: place, file }) => place !== undefined && roles.has(file.role));
  const files = new Map<string, RepositoryFile>();
  for (const doc of docs) files.set(doc.path, settingsFile(doc, workspace));
  for (const file of programsNamedIn(docs, workspace)) {
    if (files.has(file)) continue;
    const examined = tree.stat(file)?.kind === 'directory' ? undefined : tree.examine(file, programLimit, []);
    if (examined !== undefined) files.set(file, { path: within(file, workspace), sha256: examined.sha256, text: null });
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function settingsFile({ path: file, text, fault }: Doc, workspace: string): RepositoryFile {
  const name = within(file, workspace);
  if (fault?.kind === 'read') return { path: name, sha256: fault.reason, text: null };
  return { path: name, sha256: createHash('sha256').update(text).digest('hex'), text: text.length <= textLimit ? text : null };
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
