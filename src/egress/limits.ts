// What one session may take of its egress. Past a limit a program is refused, never let out.

export interface Limits {
  /** Connections at once. */
  readonly connections: number;
  /** HTTP exchanges at once. */
  readonly exchanges: number;
  /** Names that get an address. */
  readonly names: number;
  /** Bytes of one request's head. */
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Until a connection has said what it is. */
  readonly helloMs: number;
  /** Silence on a policy port, after which the server is expected to speak first. */
  readonly serverFirstMs: number;
  /** Until a request's head is complete. */
  readonly headMs: number;
  /** Until a request's body is complete. */
  readonly bodyMs: number;
  /** An idle connection is kept this long. */
  readonly idleMs: number;
  /** Until `forward` has answered. Longer than the longest wait for a model's first byte. */
  readonly forwardMs: number;
  /** Until `connect` and `open` have answered. */
  readonly connectMs: number;
  /** At the end of a session, until the last refusals are recorded. */
  readonly closeMs: number;
}

export const defaultLimits: Limits = {
  connections: 4096,
  exchanges: 4096,
  names: 16_384,
  headerBytes: 64 * 1024,
  headerCount: 256,
  helloMs: 20_000,
  serverFirstMs: 1_000,
  headMs: 30_000,
  bodyMs: 600_000,
  idleMs: 120_000,
  forwardMs: 900_000,
  connectMs: 30_000,
  closeMs: 2_000,
};
