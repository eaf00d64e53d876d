// What the launcher asks for, and what it gets back.
import type { Socket } from 'node:dgram';
import type { FileChanges } from './direct-changes.ts';
import type { DecideStarts } from './exec-audit/exec-audit.ts';

export interface LaunchPlan {
  /** The first word is an absolute path, already resolved by `resolveProgram`. */
  readonly argv: readonly string[];
  readonly workspace: string;
  readonly cwd: string;
  readonly mode: 'overlay' | 'direct';
  /** Protected directories of the workspace, relative to it, whose content may be added to for the time of the session. */
  readonly scratch?: readonly string[];
  /** The complete environment inside; nothing else is there. */
  readonly env: Readonly<Record<string, string>>;
  /** HOME inside. */
  readonly home: string;
  /** Relative to HOME. */
  readonly homeFiles: readonly { readonly path: string; readonly text: string | Uint8Array }[];
  /** Extra read-only binds (package trees). */
  readonly readOnly: readonly string[];
  /** Sockets of the launcher's own that programs inside may connect to. */
  readonly sockets?: readonly { readonly source: string; readonly path: string }[];
  /** The only trusted authority inside (`trustPaths`). */
  readonly caPem: string;
  /** The same as a Java key store. */
  readonly javaStore?: Uint8Array;
  /** TCP ports to listen on for every address. Others refuse the connection. */
  readonly ports: readonly number[];
  /** On 127.0.0.1 inside. */
  readonly proxyPort: number;
  readonly gatewayPort: number;
  readonly overlay?: { readonly upper: string; readonly work: string };
  readonly limits: {
    readonly pids: number;
    readonly fileBytes: number;
    readonly tmpfsBytes: number;
    readonly memoryBytes?: number;
    /** Processors' worth of time, all processes together. */
    readonly cpus?: number;
  };
  /** Asked before any program starts inside; left out, programs start freely and unrecorded. */
  readonly decideStarts?: DecideStarts;
  /** Together with `decideStarts`: told of files that were looked for in vain. Every look-up then takes its time. */
  readonly onMissing?: (path: string) => void;
  /** How far the wall clock inside is ahead of this machine's, milliseconds. Not together with `decideStarts`. */
  readonly clockAheadMs?: number;
  readonly cacheDir: string;
  readonly hostName: string;
  readonly userName: string;
}

/** What `net.Server.listen` takes: a listening socket that was opened inside. */
export interface ListenHandle {
  readonly fd: number;
}

/** `any`: every address, on one of the plan's ports; `localAddress` of a connection is the address that was dialled. */
export type Role = 'any' | 'proxy' | 'gateway' | 'dns-tcp';

export interface Listening {
  readonly role: Role;
  readonly port: number;
  readonly handle: ListenHandle;
}

export interface Listeners {
  readonly tcp: readonly Listening[];
  /** 127.0.0.1:53, the resolver that programs are told of. */
  readonly dns: Socket;
  /** Queries to any other resolver. They are seen; an answer would carry the wrong address, so none can be given. */
  readonly dnsElsewhere: readonly Socket[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The name of the error with which the kernel refused to start the program. */
  readonly notStarted?: string;
}

/** Which limits the kernel holds for a session, and which not, as one line each. */
export interface LimitsInForce {
  readonly held: readonly string[];
  /** With the reason. */
  readonly notHeld: readonly { readonly limit: 'memory' | 'processes' | 'cpu'; readonly line: string }[];
}

export interface Launched {
  /** The process outside that lives as long as the sandbox. */
  readonly pid: number;
  /** 128 + n when a signal ended the program. Rejects when the sandbox failed before the program could start. */
  readonly exited: Promise<Exit>;
  readonly limits: LimitsInForce;
  /** How many of its processes the kernel ended at the limit on memory. To be asked after `exited`. */
  memoryKills(): number;
  /** Removes what earlier sessions of this workspace left and nobody needs. To be called while the program runs. */
  tidy(): void;
  /** Resolves when all connections that nobody answered are told. To be called after `exited`. */
  heard(): Promise<void>;
  /** What the session changed in the workspace or its layer. To be called after `exited`; in direct mode it takes new hooks out of force. */
  changes(): Promise<FileChanges>;
  /** Sends a signal to the program, which may end in its own way. False when there was no program to send it to: then everything is killed. */
  signal(signal: NodeJS.Signals): boolean;
  kill(): void;
}
