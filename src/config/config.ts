// The configuration as the rest of the product sees it: parsed, merged, defaults filled in, read-only.
import type { Classification, Dialect, Perimeter, Purpose, Vetting } from '../core/index.ts';

export interface ProviderConfig {
  readonly id: string;
  readonly dialect: Dialect;
  /** What precedes `/v1/messages`; `/chat/completions` and `/responses` (so with `/v1`); `/v1beta/models`. No trailing slash. */
  readonly url: string;
  readonly perimeter: Perimeter;
  readonly vetted: boolean;
  /** `env:NAME` or `none`: where the daemon finds the key. */
  readonly key: string | undefined;
  /** Until the upstream's answer begins. */
  readonly timeoutMs: number;
  /** `client`: the caller's own credential is forwarded (built-in vendor providers when nothing is configured). */
  readonly credential: 'provider' | 'client';
}

export interface ModelRoute {
  /** What an agent asks for; `*` matches any run of characters. */
  readonly match: string;
  /** `PROVIDER/MODEL`; `PROVIDER/*` keeps the name that was asked for. In the order of the file; routing puts inside first. */
  readonly targets: readonly string[];
}

export interface HostGrant {
  readonly host: string;
  readonly ports: readonly number[];
}

export interface KeyConfig {
  readonly id: string;
  readonly sha256: string;
  readonly user?: string;
  readonly team?: string;
  readonly tool?: string;
  readonly purpose?: Purpose;
  readonly classification?: Classification;
  readonly budget?: {
    readonly requests?: number;
    readonly tokens?: number;
    readonly usd?: number;
    readonly per: 'hour' | 'day' | 'week' | 'month';
  };
}

/** As curl's `--resolve`, with a target port: connections to host:port go to address:targetPort. */
export interface ResolveRule {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly targetPort: number;
}

/** Where spans and metrics go, over OTLP/HTTP with JSON. */
export interface CollectorConfig {
  /** What precedes `/v1/traces` and `/v1/metrics`. No trailing slash. */
  readonly url: string;
  /** What the collector is told of is of no higher class than this perimeter may receive. */
  readonly perimeter: Perimeter;
  /** `env:NAME`: a token that goes as Bearer. */
  readonly key: string | undefined;
}

export interface Config {
  readonly organization: string | undefined;
  readonly providers: readonly ProviderConfig[];
  readonly models: readonly ModelRoute[];
  readonly repositories: readonly { readonly match: string; readonly classification: Classification }[];
  readonly defaultPurpose: Purpose;
  readonly tools: Readonly<Record<string, { readonly status: Vetting; readonly versions?: string; readonly sha256?: string }>>;
  /** `required`: `agents vet` and `agents pin` take a program only with an attestation that it passed. */
  readonly attestation: 'optional' | 'required';
  readonly packs: readonly string[];
  /** Absolute directories of the company's own policies. */
  readonly policies: readonly string[];
  readonly keys: readonly KeyConfig[];
  readonly inspect: {
    readonly secrets: 'placeholder' | 'block';
    /** Absolute paths of files in the form of `.env`, whose values must not leave. */
    readonly secretFiles: readonly string[];
    /** Cards, IBAN, national numbers, e-mail addresses and phone numbers. */
    readonly personalData: 'off' | 'on';
  };
  /** Keys that sessions may sign with: fingerprints (`SHA256:…`) of keys in the user's ssh-agent; fingerprints or keygrips (hex) of OpenPGP keys. */
  readonly signing: { readonly ssh: readonly string[]; readonly gpg: readonly string[] };
  /** What becomes of tools that a provider runs by itself, for data above `public`. */
  readonly providerTools: 'strip' | 'refuse';
  readonly egress: { readonly allow: readonly HostGrant[] };
  /** Nothing is sent to anybody unless a collector is named. */
  readonly telemetry: { readonly otlp: CollectorConfig | undefined };
  readonly inside: readonly string[];
  readonly resolve: readonly ResolveRule[];
  readonly resolvers: readonly string[];
  /** PEM texts of extra authorities for upstream TLS. */
  readonly trust: readonly string[];
  /** Files that were read, in order. */
  readonly files: readonly string[];
}
