// One record of the ledger. INVARIANT: holds no payload and no secret, only kinds, counts and hashes.
import type { Classification, EgressClass, Label, Perimeter, Purpose } from './words.ts';

export type EntryAction =
  | 'llm.invoke'
  | 'http.request'
  | 'net.connect'
  | 'process.exec'
  | 'secret.use'
  | 'approval.decide'
  | 'session.open'
  | 'session.confine'
  | 'session.close'
  | 'daemon.start'
  | 'daemon.reload'
  | 'daemon.stop'
  | 'ledger.resume'
  | 'agent.ban'
  | 'agent.vet'
  | 'agent.pin'
  | 'agent.attest'
  | 'workspace.pin';

/** What is appended. The ledger adds `index` and `time`. Fields that do not apply are left out. */
export interface EntryBody {
  readonly action: EntryAction;
  readonly session?: string;
  readonly user?: string;
  readonly agent?: string;
  readonly purpose?: Purpose;
  readonly class?: EgressClass;
  readonly host?: string;
  readonly port?: number;
  readonly method?: string;
  /** Path without the query: a query may hold what must not be stored. Of a program that starts, its file. */
  readonly path?: string;
  readonly requestedModel?: string;
  readonly provider?: string;
  readonly perimeter?: Perimeter;
  readonly classification?: Classification;
  readonly labels?: readonly Label[];
  readonly decision?: 'allow' | 'deny';
  readonly reason?: string;
  readonly policies?: readonly string[];
  readonly bytesOut?: number;
  readonly bytesIn?: number;
  /** SHA-256 of the request body, hex. */
  readonly bodySha256?: string;
  /** Index of the decision whose outcome this entry records. */
  readonly outcomeOf?: number;
  readonly status?: number;
  /** Anything else worth keeping, small and without payload. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface Entry extends EntryBody {
  readonly index: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
}
