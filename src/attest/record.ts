// What one run of an agent sent, as it was observed on the wire.
import type { EgressClass, TlsFingerprint } from '../core/index.ts';
import type { Assignment, Factor } from './factors.ts';

export interface ObservedRequest {
  /** Milliseconds since the run began, by a monotonic clock: when the request was complete, and when its answer was. */
  readonly at: number;
  readonly answeredAt: number;
  /** Serial number of the connection within the run, from 1; 0 when it is not known. */
  readonly connection: number;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** Path and query as written. */
  readonly target: string;
  readonly httpVersion: string;
  /** name, value, name, value, … as written. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  readonly class: EgressClass;
}

/** A TLS ClientHello. */
export interface ObservedHello extends TlsFingerprint {
  readonly host: string;
  readonly protocols: readonly string[];
}

export interface RunRecord {
  readonly assignment: Assignment;
  /** What a program could openly state of its surroundings in this run, longest first within a factor. */
  readonly stated: Readonly<Partial<Record<Factor, readonly string[]>>>;
  /** By the clock that the program saw. */
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly timezone: string;
  /** BCP 47. */
  readonly locale: string;
  readonly requests: readonly ObservedRequest[];
  /** Names that were looked up, each once. */
  readonly lookups?: readonly string[];
  readonly hellos?: readonly ObservedHello[];
  /** Why this run says nothing. */
  readonly failed?: string;
}
