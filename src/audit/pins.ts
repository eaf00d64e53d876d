// Hashes of what a person looked at: settings that repositories bring, and tool lists that servers sent. A later audit with the report as
// its baseline tells what has changed since.
import { createHash } from 'node:crypto';
import type { Facts } from './facts.ts';
import { expand, join } from './load.ts';

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
  for (const { path, file, workspace, text, fault } of facts.docs) {
    if (
      workspace === undefined ||
      workspace.isSample ||
      fault?.kind === 'read' ||
      !['settings', 'mcp', 'hooks', 'code'].includes(file.role)
    )
      continue;
    pins.set(path, { file: path, sha256: hashOf(text), kind: 'repository' });
  }
  for (const { file, text } of toolLists(facts)) pins.set(file, { file, sha256: hashOf(text), kind: 'tool-list' });
  return [...pins.values()];
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
