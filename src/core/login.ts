// A login whose tokens expire, described: where the agent keeps it, who renews it, and in which words (RFC 6749, sections 5 and 6).

/** Keys from the top of a JSON file to a value in it. */
export type KeyPath = readonly [string, ...string[]];

export interface LoginFlow {
  /** Stable; ids of its credentials are `ID:access` and `ID:refresh`. */
  readonly id: string;
  /** The token endpoint: tokens come from nowhere else, and a refresh token goes nowhere else. */
  readonly token: {
    readonly hosts: readonly string[];
    /** Exact, without a query. */
    readonly path: string;
    /** Where the agent asks, at the same hosts, whether an access token is good. Exact, without a query. */
    readonly infoPath?: string;
    /** How the agent writes its request, and we ours. */
    readonly form: 'json' | 'form';
  };
  /** What the agent says it is. A client secret that every copy of a program holds is no secret; it is known by its hash. */
  readonly client: { readonly id: string; readonly secretSha256?: string };
  /** Where an access token is good. */
  readonly access: { readonly hosts: readonly string[]; readonly pathPrefix: string; readonly prefix: string };
  /** Where a login is exchanged for a key that does not expire, and the member of the answer that holds it. */
  readonly key?: { readonly hosts: readonly string[]; readonly path: string; readonly member: string; readonly prefix: string };
  /** What placeholders of refresh tokens begin with. */
  readonly refreshPrefix: string;
  /** Claims of the identity token that the agent reads: nobody else's name or address comes in. */
  readonly identity?: { readonly namespace: string; readonly claims: readonly string[] };
  readonly file: {
    /** Below the home. */
    readonly path: string;
    readonly access: KeyPath;
    readonly refresh: KeyPath;
    readonly identity?: KeyPath;
    /** When the access token expires, milliseconds since 1970. */
    readonly expiresAt?: KeyPath;
    /** When it was renewed last, RFC 3339. */
    readonly renewedAt?: KeyPath;
    /** At which of `access.hosts` the token is good: a vendor says so beside its tokens (`resource_url`). */
    readonly host?: KeyPath;
  };
}

/** One token of a login that the user has. */
export interface LoginToken {
  readonly flow: LoginFlow;
  readonly kind: 'access' | 'refresh';
  /** The user's own file: below the home as an adapter says it, absolute for the daemon; left out: a login that was made inside. */
  readonly file?: string;
}
