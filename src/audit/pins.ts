// Hashes of what a person looked at: what repositories bring for agents, and tool lists that servers sent. A later audit with the report as
// its baseline tells what has changed since.
import { createHash } from 'node:crypto';
import type { CatalogueFile } from './catalogue/index.ts';
import type { Facts } from './facts.ts';
import { type Doc, expand, join } from './load.ts';
import type { Tree } from './read/tree.ts';

/** What steers an agent and that only people change; what agents write by themselves (memory, transcripts, logins) changes every day. */
export const pinnedRoles: ReadonlySet<CatalogueFile['role']> = new Set<CatalogueFile['role']>([
  'settings',
  'mcp',
  'hooks',
  'code',
  'instructions',
  'skill',
]);

export const pinLimitBytes = 256 << 20;

/** Of its bytes, as they are on the disk; `undefined` when it cannot be read. */
export function pinHash(tree: Pick<Tree, 'examine'>, { path, text, fault }: Pick<Doc, 'path' | 'text' | 'fault'>): string | undefined {
  // Different bytes that are no text read as the same text, and of a file that is too long none was kept.
  if (fault?.kind !== 'read' && !text.includes('\ufffd')) return hashOf(text);
  return tree.examine(path, pinLimitBytes, [])?.sha256;
}

export interface Pin {
  readonly file: string;
  readonly sha256: string;
  readonly kind: 'repository' | 'tool-list';
}

/** Where clients keep tool lists that a server sent. */
const toolCaches = [
  '.cursor/projects/*/mcps/*/tools/*.json',
  '.cache/claude-cli-nodejs/*/mcp-*/*.json',
  '.claude/mcp-*cache*.json',
  '.mcp-auth/*/*.json',
  '.codeium/windsurf/mcp_cache/*.json',
  '.cline/data/cache/*mcp*.json',
] as const;

export function toolLists({ tree, homes }: Pick<Facts, 'tree' | 'homes'>): readonly { readonly file: string; readonly text: string }[] {
  return homes.flatMap((home) =>
    toolCaches.flatMap((pattern) =>
      expand(tree, join(home, pattern)).flatMap((file) => {
        const read = tree.read(file, 1 << 20);
        return read.bytes === undefined ? [] : [{ file, text: read.bytes.toString('utf8') }];
      }),
    ),
  );
}

export function pinsOf(facts: Facts): readonly Pin[] {
  const pins = new Map<string, Pin>();
  for (const doc of facts.docs) {
    if (doc.workspace === undefined || doc.workspace.isSample || !pinnedRoles.has(doc.file.role)) continue;
    const sha256 = pinHash(facts.tree, doc);
    if (sha256 !== undefined) pins.set(doc.path, { file: doc.path, sha256, kind: 'repository' });
  }
  for (const { file, text } of toolLists(facts)) pins.set(file, { file, sha256: hashOf(text), kind: 'tool-list' });
  return [...pins.values()];
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
