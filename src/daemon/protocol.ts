// What the launcher and the command line say to the daemon over its unix socket. HTTP/1.1, because its parser and back-pressure
// are Node's own; but nothing that an agent wrote stands on this layer: an exchange is described in one header, encoded. A session is a
// connection that was upgraded and speaks lines of JSON: the opening, then `SessionMessage` from the daemon and `LauncherMessage` to it.

import type { Credential } from '../agents/index.ts';
import type { Statement, Verb } from '../config/index.ts';
import type { Classification, Code, EgressClass, ExchangeHead, Label, NetConnect, Perimeter, ProcessExec, Purpose } from '../core/index.ts';
import type { AuthoritySecret } from '../egress/index.ts';
import type { NextStep } from './next-steps.ts';

export const paths = {
  status: '/status',
  stop: '/stop',
  sessions: '/sessions',
  exchange: '/exchange',
  starts: '/starts',
  agents: '/agents',
  pins: '/pins',
  proposals: '/proposals',
  usableKeys: '/keys/usable',
  signature: '/keys/signature',
  attestations: '/attestations',
} as const;

/** Room for an agent's own headers (Node's limit is 16 KiB) after encoding. */
export const maxHeaderBytes = 256 * 1024;

/** The word of the `Upgrade` header for a session's connection. */
export const sessionProtocol = 'intramur-session/1';

/** Header with the described exchange, base64url of JSON; in the answer, the described reply. */
export const describedHeader = 'intramur-described';
export interface OpenRequest {
  readonly agent: string;
  readonly agentVersion?: string;
  /** Real path of the program or script; hashed only where the register of tools pins a hash. */
  readonly program: string;
  readonly user: string;
  readonly workspace: string;
  readonly purpose?: Purpose;
  /** `HOST` or `HOST:PORT`, as the user wrote them. */
  readonly allow: readonly string[];
  readonly credentials: readonly Credential[];
  /** Why the launcher will not start it: there is only something to record. */
  readonly refused?: string;
  readonly sandbox: Readonly<Record<string, string | number | boolean>>;
}

export interface OpenReply {
  readonly session: string;
  readonly token: string;
  readonly purpose: Purpose;
  readonly classification: Classification;
  readonly placeholders: Readonly<Record<string, string>>;
  /** The certificate authority of the session. */
  readonly authority: AuthoritySecret;
  readonly hasModels: boolean;
  /** Some model calls go up with the user's own login. */
  readonly usesLogin: boolean;
  /** A policy says something of programs: each start must be asked about. */
  readonly auditsStarts?: boolean;
  /** Keys of the user's SSH agent may be used. */
  readonly signsWithSsh?: boolean;
  /** Keys of the user's gpg-agent may be used: the configuration names some, or a policy may. */
  readonly signsWithGpg?: 'named' | 'by-policy';
  /** Granted hosts of SSH, where it signs. */
  readonly sshHosts?: readonly string[];
  /** A name that the model map answers to, for agents that must be told one. */
  readonly model?: string;
  /** Ports of granted hosts. */
  readonly ports: readonly number[];
  /** Where model calls of this session go first, for the status line: `onprem`, `vpc`, `public`. */
  readonly firstPerimeter: Perimeter | undefined;
}

/** What the daemon says on a session's connection. After `fault` and `summary` it closes it; after `halted` the launcher may still sum up. */
export type SessionMessage =
  | { readonly opened: OpenReply }
  | { readonly fault: ControlFault }
  | { readonly halted: string }
  /** What `confined` said is in the ledger. */
  | { readonly recorded: true }
  | { readonly summary: Summary };

/** What the launcher says after the opening: how the program is confined, just before it starts, and at the end the close. */
export type LauncherMessage = { readonly confined: Confinement } | { readonly close: CloseRequest };

/** What holds for one session. */
export interface Confinement {
  readonly mode: 'overlay' | 'direct';
  /** Limits that the kernel holds, one line each. */
  readonly limits: readonly string[];
  /** Limits that it does not hold, with the reason. */
  readonly notInForce: readonly string[];
  /** Layers that were asked for and are missing: the user said `--allow-degraded`. */
  readonly degraded: readonly string[];
}

export interface DescribedExchange {
  readonly token: string;
  readonly head: ExchangeHead;
}

export interface DescribedReply {
  readonly status: number;
  readonly rawHeaders: readonly string[];
}

export interface Attempt extends Pick<NetConnect, 'host' | 'port' | 'protocol' | 'isDirect'> {
  /** Why egress refused it already: there is only something to record. */
  readonly refused?: string;
}

export interface DescribedConnect {
  readonly token: string;
  readonly attempt: Attempt;
}

/** Programs that are about to start. `null` is one that could not be read. */
export interface StartsRequest {
  readonly starts: readonly (Pick<ProcessExec, 'path' | 'realPath' | 'argv' | 'cwd'> | null)[];
}

export interface StartsReply {
  readonly allowed: readonly boolean[];
}

/** What a person says about a proposal. */
export interface ProposalDecision {
  readonly id: string;
  readonly isApproved: boolean;
  readonly user: string;
  readonly reason?: string;
}

/** A signature with a key that stays outside. `what` left out: its form is not known, and there is only a refusal to record. */
export interface SignatureRequest {
  readonly name: string;
  readonly what?: string;
  /** Why it was refused already: there is only something to record. */
  readonly refused?: string;
}

export interface CloseRequest {
  readonly exitCode: number;
  /** Limits that the kernel held, one line each. */
  readonly limits?: readonly string[];
  /** Why the launcher ended the session before its program. */
  readonly halted?: string;
  readonly files?: Summary['files'];
}

/** Somebody looked at what a repository brings along. */
export interface PinRequest {
  readonly workspace: string;
  readonly files: number;
  /** SHA-256, hex. */
  readonly digest: string;
}

/** What `agents ban|vet|pin` says of a tool. */
export interface StateRequest {
  readonly verb: Verb;
  readonly agent: string;
  readonly versions?: string;
  readonly sha256?: string;
  readonly reason?: string;
  readonly hosts?: readonly string[];
}

export interface StateReply {
  /** Ledger entry that holds who and why. */
  readonly entry: number;
  readonly halted: readonly { readonly id: string; readonly agent: string }[];
  /** Bans that hold no longer. */
  readonly lifted: readonly Statement[];
}

/** What an attestation of a tool found; the report itself stays with whoever asked for it. */
export interface AttestRequest {
  readonly agent: string;
  readonly version: string;
  /** Of the program, hex. */
  readonly sha256: string;
  readonly passed: boolean;
  /** How many hidden environment markers. */
  readonly covert: number;
  readonly runs: number;
  readonly failedRuns: number;
  /** What was varied. */
  readonly varied: readonly string[];
}

export interface AttestReply {
  readonly entry: number;
}

export interface EgressTally {
  readonly host: string;
  readonly port: number;
  readonly class: EgressClass;
  readonly decision: 'allow' | 'deny';
  count: number;
  bytesOut: number;
  bytesIn: number;
  reason?: string;
}

export interface ModelTally {
  readonly provider: string;
  readonly perimeter: Perimeter;
  requests: number;
  bytesOut: number;
  bytesIn: number;
}

/** The summary of a session; the launcher adds what only it knows (files, exit code). */
export interface Summary {
  readonly schema: 'intramur/summary/1';
  readonly session: string;
  readonly agent: string;
  readonly purpose: Purpose;
  readonly exitCode: number;
  /** Why the session was ended before its program. */
  readonly halted?: string;
  /** Why this is only what the ledger has: the daemon was not there to sum up. */
  readonly incomplete?: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly egress: readonly EgressTally[];
  readonly model: readonly ModelTally[];
  readonly labels: readonly { readonly label: Label; readonly count: number }[];
  readonly files: {
    readonly changed: number;
    readonly added: number;
    readonly deleted: number;
    readonly sensitive: readonly string[];
    /** In direct mode: what `apply` would never bring back, and why. */
    readonly forbidden?: readonly { readonly path: string; readonly why: string }[];
  };
  readonly refusals: number;
  /** Limits that were in force, one line each. */
  readonly limits: readonly string[];
  /** What a person could do about refusals by default. */
  readonly next_steps: readonly NextStep[];
  /** Starts of programs, where they are audited. */
  readonly programs?: { readonly started: number; readonly refused: number };
  readonly ledger: { readonly first: number; readonly last: number; readonly root: string };
}

export interface DaemonStatus {
  readonly pid: number;
  readonly version: string;
  readonly gateway: { readonly url: string };
  readonly console: { readonly url: string };
  readonly ledger: {
    readonly size: number;
    readonly root: string;
    /** Why it takes no more entries, so that everything is refused; left out while it does. */
    readonly fault?: string;
  };
  /** Why nothing can be inspected, so that everything is refused, and what helps; left out while all is well. */
  readonly inspection?: { readonly fault: string; readonly next?: string };
  readonly policy: { readonly digest: string; readonly packs: readonly string[] };
  readonly sessions: readonly {
    readonly id: string;
    readonly agent: string;
    readonly purpose: Purpose;
    readonly classification: Classification;
    readonly startedAt: string;
    /** Left out until the program starts. */
    readonly confinement?: Confinement;
  }[];
}

/** Body of every failed control call. */
export interface ControlFault {
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The text of a described header back as JSON; shape is checked by the reader. */
export function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}
