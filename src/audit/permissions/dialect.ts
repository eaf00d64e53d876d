// What a dialect is: how one family of agents turns its settings into an answer. `grants` brings the rules into one form for reports
// and rules; `decide` answers a question as the agent would.
import type { CatalogueEntry } from '../catalogue/index.ts';
import type { Doc } from '../load.ts';
import type { Tree } from '../read/tree.ts';
import type { Action, Grant, Mode, Source } from './grant.ts';

export interface Situation {
  readonly agent: CatalogueEntry;
  readonly version: string | undefined;
  readonly workspace: string;
  readonly home: string;
  /** Files that this agent reads in this workspace: of the system, the user, the workspace. Parsed ones only. */
  readonly docs: readonly Doc[];
  readonly tree: Tree;
}

export interface Question {
  readonly action: Action;
  readonly target: string;
}

export interface Answer {
  readonly mode: Mode;
  readonly source: Source;
}

export interface Dialect {
  /** Rules of one document; `undefined` workspace for those of the user and system. */
  grants(doc: Doc): readonly Grant[];
  decide(situation: Situation, question: Question): Answer;
}

export const byDefault: Source = { file: null, line: null, scope: 'default' };

export function answer(mode: Mode, source: Source = byDefault): Answer {
  return { mode, source };
}

export function sourceOf(doc: Doc, line: number): Source {
  return { file: doc.path, line, scope: doc.scope };
}

/** -1, 0 or 1 by the numbers of two versions. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string): readonly number[] =>
    version
      .split(/[.-]/)
      .slice(0, 3)
      .map((part) => Number.parseInt(part, 10) || 0);
  const left = numbers(a);
  const right = numbers(b);
  for (let i = 0; i < 3; i++) if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) < (right[i] ?? 0) ? -1 : 1;
  return 0;
}

/** The MCP server and tool that a question names: `server/tool`, `server:tool`, `mcp__server__tool`, `server`. */
export function mcpTarget(target: string): { readonly server: string; readonly tool: string } {
  const dunder = /^mcp__(.+?)(?:__(.*))?$/.exec(target);
  if (dunder?.[1] !== undefined) return { server: dunder[1], tool: dunder[2] ?? '*' };
  const [server = target, tool = '*'] = target.replace(/^@/, '').split(/[/:]|\.(?=[^.]*$)/, 2);
  return { server, tool: tool === '' ? '*' : tool };
}
