// What the tests of logins have to know of one agent and its vendor.

/** The tokens of a login. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

/** A request at one of the vendor's hosts. */
export interface Asked {
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  readonly body: string;
  /** It carries the newest access token. */
  readonly isNewest: boolean;
}

/** A call of the vendor's model, as the rehearsal model is to get it. */
export interface ModelCall {
  readonly target: string;
  readonly body: string;
  /** What the vendor puts around each event of the answer. */
  wrap?(event: unknown): unknown;
}

export interface AgentLogin {
  /** The id of its recipe. */
  readonly agent: string;
  /** The model that it is told to ask for; left out for its default. */
  readonly model?: string;
  /** How it is started, where its recipe's way is another than by this login. */
  readonly args?: readonly string[];
  /** The user's own file, below the home. */
  readonly file: string;
  /** What it holds of a login that expired long ago. */
  expired(tokens: Tokens): Readonly<Record<string, unknown>>;
  /** What it has to hold afterwards, at least. */
  renewed(tokens: Tokens): Readonly<Record<string, unknown>>;
  /** Settings of the user's: file below the home, and what it holds. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A line of the configuration. */
  readonly config?: string;
  readonly tokenEndpoint: { readonly host: string; readonly path: string };
  /** What the vendor's answer holds beside the tokens. */
  readonly besideTokens?: Readonly<Record<string, unknown>>;
  /** The vendor's other hosts. */
  readonly hosts: readonly string[];
  /** What the user has to grant. */
  readonly allow: readonly string[];
  /** `undefined`: this is no call of the model. */
  modelCall(asked: Asked): ModelCall | undefined;
  /** The vendor's answer to anything else; `undefined`: there is no such thing. */
  answer?(asked: Asked): unknown;
}
