// The one form into which every agent's permission rules are brought: who (agent, workspace), what (action, pattern), how (mode), and
// which line of which file says so.
import type { DialectId, Scope } from '../catalogue/index.ts';

export type Action = 'shell' | 'read' | 'write' | 'network' | 'mcp';
export const actions: readonly Action[] = ['shell', 'read', 'write', 'network', 'mcp'];

export type Mode = 'allow' | 'ask' | 'deny' | 'sandboxed';

/** Where an answer comes from. `default`: the agent's own behaviour, which stands in no file. */
export interface Source {
  readonly file: string | null;
  readonly line: number | null;
  readonly scope: Scope | 'default';
}

export interface Grant {
  readonly agent: string;
  readonly dialect: DialectId;
  /** `undefined`: in every workspace. */
  readonly workspace: string | undefined;
  readonly isSample: boolean;
  readonly mode: Exclude<Mode, 'sandboxed'>;
  /** `any`: every tool. */
  readonly action: Action | 'any';
  /** `*` for everything; else in the dialect's own pattern language. */
  readonly pattern: string;
  /** As it is written in the file. */
  readonly raw: string;
  /** The tool's name as written, without its argument. */
  readonly tool: string;
  readonly source: Source;
  /** A group within which one dialect compares (a policy list, a rules table); higher wins where the dialect has priorities. */
  readonly priority: number;
}

const tools: Readonly<Record<string, Action>> = {
  ...named(
    'shell',
    'bash shell exec execute terminal command run_shell_command shelltool execute_bash execute_cmd execute_shell launch-process execute_command developer__shell run_terminal_cmd unsandboxed powershell executables monitor',
  ),
  ...named(
    'write',
    'edit write multiedit notebookedit write_file replace edit_file str_replace_editor fs_write create save-file str-replace-editor developer__text_editor apply_patch patch search_replace writefile editfile fileediting createfile write_to_file remove-files',
  ),
  ...named(
    'read',
    'read read_file ls list glob grep search fs_read readfile view list_directory grep_search search_file_content file_reading readoutsideproject',
  ),
  ...named(
    'network',
    'webfetch websearch fetch web_fetch web_search google_web_search read_url url web-fetch web-search use_aws download browser_action',
  ),
};

function named(action: Action, names: string): Record<string, Action> {
  return Object.fromEntries(names.split(' ').map((name) => [name, action]));
}

/** The action of a tool by its name in any agent; `any` for `*`, `mcp` for what names a server. */
export function actionOf(tool: string): Action | 'any' | undefined {
  const name = tool.trim().toLowerCase();
  if (name === '*' || name === '**' || name === 'all') return 'any';
  if (Object.hasOwn(tools, name)) return tools[name];
  if (/^(mcp(__|_|$|\(|tools$)|@)/.test(name)) return 'mcp';
  return undefined;
}

/** `Bash(git *)` -> tool and argument; `undefined` when it is not of that form. */
export function parseToolRule(raw: string): { readonly tool: string; readonly argument: string | undefined } | undefined {
  const match = /^([^()\s]+)(?:\s*\(([\s\S]*)\))?$/.exec(raw.trim());
  if (match?.[1] === undefined) return undefined;
  return { tool: match[1], argument: match[2] };
}
