// What asks for a decision: who (principal), what (act) and on which bytes (body).
import type { Classification, Dialect, EgressClass, Perimeter, Purpose, Vetting } from './words.ts';

export type SessionId = string;

/** Who acts: a user, through an agent, in a session. */
export interface Principal {
  readonly session: SessionId;
  readonly user: string;
  readonly team?: string;
  /** Tool id: an adapter's id, or the program's own file name. */
  readonly agent: string;
  readonly agentVersion?: string;
  readonly vetting: Vetting;
  readonly purpose: Purpose;
  /** The least class of what comes from this principal: that of its repository or key. */
  readonly classification: Classification;
  readonly workspace?: string;
  /** `sandbox`: started by `run`. `key`: a person or program outside, known by a virtual key. */
  readonly via: 'sandbox' | 'key';
}

/** A model at a provider that a call could be sent to. */
export interface Target {
  readonly provider: string;
  /** The model's name as this provider knows it. */
  readonly model: string;
  readonly dialect: Dialect;
  readonly perimeter: Perimeter;
  readonly vetted: boolean;
}

export interface Place {
  /** The name that was asked for, lower case without a trailing dot, or the literal address of a direct attempt. */
  readonly host: string;
  readonly port: number;
}

/** A model call. `targets` are the candidates, inside first; the decision says which of them may be used. */
export interface LlmInvoke extends Place {
  readonly action: 'llm.invoke';
  readonly class: 'model';
  readonly dialect: Dialect;
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly requestedModel: string;
  readonly targets: readonly Target[];
}

/** Any other HTTP exchange. */
export interface HttpRequest extends Place {
  readonly action: 'http.request';
  readonly class: EgressClass;
  readonly scheme: 'http' | 'https';
  readonly method: string;
  readonly path: string;
  /** True when the program dialled an address and never asked for a name. */
  readonly isDirect: boolean;
  /** True when the user (`--allow`) or the configuration (`egress.allow`) named host and port. */
  readonly isGranted: boolean;
  /** True for the renewal of a login that stays outside, and for a question about its token: written by the daemon, only asked for by the agent. */
  readonly isRenewal?: boolean;
  /**
   * True for what carries something to a host where a model service is known, whatever the path: it is read as no call of its models. A short
   * question (GET or HEAD, without body and query) carries nothing.
   */
  readonly servesModels?: boolean;
}

/** A connection that is not HTTP (ssh, DNS, raw), or one that never became HTTP. */
export interface NetConnect extends Place {
  readonly action: 'net.connect';
  readonly class: EgressClass;
  readonly protocol: 'tcp' | 'ssh' | 'dns' | 'udp' | 'tls';
  readonly isDirect: boolean;
  readonly isGranted: boolean;
}

/** The start of a program inside. Nothing leaves by it. */
export interface ProcessExec {
  readonly action: 'process.exec';
  /** As it was called, made absolute. */
  readonly path: string;
  /** Where its links lead. */
  readonly realPath: string;
  readonly argv: readonly string[];
  readonly cwd: string;
}

/** The use of a key that stays outside, on behalf of a program inside. */
export interface SecretUse {
  readonly action: 'secret.use';
  /** `ssh:SHA256:…`, `gpg:KEYGRIP`. */
  readonly name: string;
  readonly use: 'sign';
  /** In words what is signed. */
  readonly what: string;
  /** True when the configuration named this key. */
  readonly isGranted: boolean;
}

/** What would leave the sandbox. */
export type Outgoing = LlmInvoke | HttpRequest | NetConnect;

export type Act = Outgoing | ProcessExec | SecretUse;

export interface Request {
  readonly principal: Principal;
  readonly act: Act;
}

/** The bytes that would leave. `views` are strings that belong to them but stand outside the body (URL, header values). */
export interface Body {
  readonly bytes: Uint8Array;
  /** Media type without parameters, lower case; empty when unknown. */
  readonly contentType: string;
  readonly views: readonly string[];
}
