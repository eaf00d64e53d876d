// What an adapter is: our description of one agent. One file per agent, listed in registry.ts; no side effects on import, and
// nothing heavy: the launcher of an agent loads all of them.
import type { Dialect, EgressClass, LoginFlow, LoginToken } from '../core/index.ts';

/** What an adapter may look at on the user's side. */
export interface UserView {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file below the user's home; `undefined` when it is missing, unreadable or larger than 1 MiB. */
  readHome(path: string): string | undefined;
}

/** A real secret of the user's that this agent uses. It stays outside; the agent gets a placeholder of the same look. */
export interface Credential {
  /** Stable within the adapter, e.g. `env:ANTHROPIC_API_KEY`. */
  readonly id: string;
  readonly value: string;
  /** Hosts that the real value may be sent to, exact names. */
  readonly hosts: readonly string[];
  /** A path prefix that requests carrying it must have; `/` for any. */
  readonly pathPrefix: string;
  /** What the placeholder begins with, so that the agent's own format checks pass, e.g. `sk-ant-api03-`. */
  readonly prefix: string;
  /** A token of a login that is renewed. INVARIANT: a refresh token goes to its token endpoint in a request of ours, and nowhere else. */
  readonly login?: LoginToken;
}

export interface ContainInput {
  readonly user: UserView;
  readonly workspace: string;
  /** HOME inside. */
  readonly home: string;
  /** Our gateway as seen from inside, no path, no trailing slash. */
  readonly gatewayUrl: string;
  /** Placeholder for each credential id that `credentials` returned, plus `session`: a virtual key good for `gatewayUrl` in this session. */
  readonly placeholders: Readonly<Record<string, string>>;
  /** True when the configuration sends model calls to a target of ours, so that an agent without a login can still work. */
  readonly hasModels: boolean;
  /** False when no call of this session is made with the user's own login: it is then not renewed either. */
  readonly usesLogin?: boolean;
  /** A name that the model map answers to, for agents that must be told one; left out: any name will do. */
  readonly model?: string;
}

/** What an agent gets inside. */
export interface Containment {
  readonly env: Readonly<Record<string, string>>;
  /** Files below HOME. INVARIANT: no real secret in `text`. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export interface SettingsFile {
  readonly scope: 'managed' | 'user' | 'project' | 'local' | 'state';
  /** `~/…` for the home, absolute for managed files, else relative to the workspace. */
  readonly path: string;
  readonly format: 'json' | 'jsonc' | 'toml' | 'yaml';
}

/** Where MCP servers stand in a settings file. */
export interface McpPlace extends SettingsFile {
  /** Key path to the table of servers; `*` matches any key. */
  readonly key: readonly string[];
}

export interface Endpoint {
  readonly host: string;
  /** Path prefix; left out: the whole host. The longest match wins. */
  readonly path?: string;
  readonly class: EgressClass;
}

export interface Adapter {
  readonly id: string;
  readonly name: string;
  readonly vendor: string;
  /** ISO 3166-1 alpha-2. */
  readonly jurisdiction: string;
  /** File names by which the agent is started. */
  readonly binaries: readonly string[];
  /** npm package names. */
  readonly npm: readonly string[];
  /** Directories below the home whose presence shows that the agent is or was used. */
  readonly dirs: readonly string[];
  readonly dialects: readonly Dialect[];
  /** Matches the `user-agent` header of its model calls. */
  readonly userAgent?: RegExp;
  readonly settings: readonly SettingsFile[];
  readonly mcp: readonly McpPlace[];
  readonly endpoints: readonly Endpoint[];
  /**
   * Directories of the workspace, protected in direct mode, in which the agent insists on keeping files of its own: there it may write,
   * and what it wrote is gone with the session.
   */
  readonly scratch?: readonly string[];
  /** Logins that it makes and renews. */
  readonly logins: readonly LoginFlow[];
  credentials(user: UserView): readonly Credential[];
  contain(input: ContainInput): Containment;
}

export function agent(adapter: Adapter): Adapter {
  return adapter;
}
