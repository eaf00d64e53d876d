// What the catalogue says of one agent: where it shows on a disk, which files steer it, and what their keys mean. Data of ours, dated and
// with a confidence: what rests on documentation or on a guess makes findings that say so.

/** `verified`: read in the installed package or its source; `docs`: in documentation; `guess`: must be checked. */
export type Confidence = 'verified' | 'docs' | 'guess';

export type Scope = 'managed' | 'user' | 'project' | 'local' | 'state';

/** How the agent itself reads the file. `json` is strict: a comment makes the agent drop the file. */
export type Format = 'json' | 'jsonc' | 'json-comments' | 'json5' | 'toml' | 'yaml' | 'text';

export type Role =
  | 'settings'
  | 'mcp'
  /** Text that the model reads as instructions. */
  | 'instructions'
  | 'skill'
  | 'hooks'
  /** Code that the agent runs when it loads. */
  | 'code'
  | 'secrets'
  | 'memory'
  | 'transcript';

export interface CatalogueFile {
  readonly scope: Scope;
  /**
   * `~/…` below the home, absolute for managed files, `code:…` in every VS Code-like user directory, else relative to the workspace.
   * `*` stands for a run of characters in one name, a `**` segment for directories to any (bounded) depth.
   */
  readonly path: string;
  readonly format: Format;
  readonly role: Role;
  /** Key path to a table or list of MCP servers; `*` matches any key. */
  readonly mcp?: readonly string[];
  readonly confidence?: Confidence;
}

/** What a setting means, whatever its agent calls it. */
export type Meaning =
  | 'bypass'
  | 'bypass-accepted'
  | 'any-command'
  | 'write-outside'
  | 'write-protected'
  | 'fetch-any'
  | 'all-mcp'
  | 'mcp-auto-start'
  | 'trust-off'
  | 'trust-wide'
  | 'sandbox-off'
  | 'sandbox-fails-open'
  | 'sandbox-escape'
  | 'sandbox-network'
  | 'environment-inherited'
  | 'telemetry'
  | 'prompts-logged'
  | 'session-upload'
  | 'shared-automatically'
  | 'auto-update'
  | 'remote-control'
  | 'base-url'
  | 'helper-command'
  | 'cloud-connectors'
  | 'transcripts-kept'
  | 'marketplace'
  | 'exposed-listener'
  | 'model-decides';

/** A key and the values that give it a meaning. */
export interface Switch {
  /** Key path; `*` matches any key or item. */
  readonly key: readonly string[];
  /** Values (case-insensitive for text), `set` for any value, or a pattern for text. */
  readonly when: readonly (string | number | boolean)[] | 'set' | RegExp;
  readonly means: Meaning;
  /** Only in files whose path ends so. */
  readonly file?: string;
  /** Only in these scopes. */
  readonly scopes?: readonly Scope[];
  readonly confidence?: Confidence;
}

export interface Detection {
  readonly npm?: readonly string[];
  readonly pip?: readonly string[];
  readonly brew?: readonly string[];
  readonly bin?: readonly string[];
  /** Extension ids, lower case. */
  readonly vscode?: readonly string[];
  readonly jetbrains?: readonly string[];
  /** macOS bundles, and directories below /opt or /usr/share. */
  readonly app?: readonly string[];
  readonly process?: readonly string[];
  /** Paths below the home whose presence shows that the agent is or was used. */
  readonly dirs?: readonly string[];
  readonly ports?: readonly number[];
}

export type DialectId =
  | 'claude'
  | 'codex'
  | 'gemini'
  | 'qwen'
  | 'opencode'
  | 'cursor'
  | 'copilot-vscode'
  | 'copilot-cli'
  | 'roo'
  | 'cline'
  | 'continue'
  | 'aider'
  | 'goose'
  | 'amp'
  | 'kiro'
  | 'amazon-q'
  | 'zed'
  | 'junie'
  | 'auggie'
  | 'droid'
  | 'crush'
  | 'pi'
  | 'windsurf'
  | 'devin'
  | 'antigravity'
  | 'grok'
  | 'vibe'
  | 'rovo'
  | 'kimi'
  | 'openhands'
  | 'warp'
  | 'openclaw'
  | 'none';

export interface CatalogueEntry {
  readonly id: string;
  readonly name: string;
  readonly kind: 'agent' | 'model-server' | 'gateway';
  readonly vendor: string;
  /** ISO 3166-1 alpha-2 codes, the vendor's seat first. */
  readonly jurisdiction: string;
  readonly confidence: Confidence;
  readonly detect: Detection;
  readonly files: readonly CatalogueFile[];
  readonly switches: readonly Switch[];
  readonly dialect: DialectId;
  /** What happens without any rule. `allow` is permissive by omission. */
  readonly byDefault: 'allow' | 'ask';
  /** How a repository's own settings come into force. */
  readonly repositoryTrust: 'asked' | 'off-by-default' | 'none';
  /** Whether usage data is sent unless somebody switches it off, and the keys that do. */
  readonly telemetry?: { readonly hosts: readonly string[]; readonly optOut: readonly (readonly [key: string, value: string])[] };
  readonly modelHosts?: readonly string[];
  /** True when nothing keeps the agent's model traffic off the vendor's servers. */
  readonly vendorOnly?: boolean;
}

/** The day on which the facts were last checked. */
export const checkedOn = '2026-11-22';

type Loose = Partial<CatalogueEntry> & Pick<CatalogueEntry, 'id' | 'name' | 'vendor' | 'jurisdiction' | 'confidence'>;

export function entry(facts: Loose): CatalogueEntry {
  return { kind: 'agent', detect: {}, files: [], switches: [], dialect: 'none', byDefault: 'ask', repositoryTrust: 'none', ...facts };
}

export function file(scope: Scope, path: string, format: Format, role: Role = 'settings', mcp?: string): CatalogueFile {
  return { scope, path, format, role, ...(mcp === undefined ? {} : { mcp: mcp.split('/') }) };
}

/** Several files of one kind. */
export function files(scope: Scope, format: Format, role: Role, ...paths: readonly string[]): readonly CatalogueFile[] {
  return paths.map((path) => ({ scope, path, format, role }));
}

/** Keys are joined by `/`, because many hold dots. */
export function when(key: string, values: Switch['when'], means: Meaning, more: Partial<Switch> = {}): Switch {
  return { key: key.split('/'), when: values, means, ...more };
}
