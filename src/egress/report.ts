// Attempts that egress itself turns down still belong in the ledger: they are told to the monitor through the same callback that
// decides connections. INVARIANT: whatever the callback answers, a reported attempt stays refused.
import type { NetConnect } from '../core/index.ts';
import type { Limits } from './limits.ts';
import type { Origin } from './origin.ts';
import { within } from './within.ts';

export interface Attempt extends Pick<NetConnect, 'host' | 'port' | 'protocol' | 'isDirect'> {
  /** `refused`: egress has already refused it for this reason; there is nothing left to decide, only to record. */
  readonly detail?: Readonly<Record<string, string>>;
}

export interface Reports {
  /** Resolves when it is recorded or has failed; never rejects. */
  tell(attempt: Attempt & { readonly detail: Readonly<Record<string, string>> & { readonly refused: string } }): Promise<void>;
  /** Reports that a refused exchange or connection was going to this place. */
  refusal(origin: Origin, reason: string, detail?: Readonly<Record<string, string>>): Promise<void>;
  /** True once something on this connection went to the monitor. */
  isKnown(origin: Origin): boolean;
  markKnown(origin: Origin): void;
  /** The connection becomes another one: a tunnel. */
  forget(origin: Origin): void;
  /** Resolves when nothing is on its way any more, or its time is up. */
  settled(): Promise<void>;
}

export function createReports(connect: (attempt: Attempt) => Promise<unknown>, limits: Limits): Reports {
  const pending = new Set<Promise<void>>();
  const known = new WeakSet<object>();

  async function send(attempt: Attempt): Promise<void> {
    try {
      await within(limits.connectMs, 'recording a refusal', connect(attempt), () => {});
    } catch {
      // Without the daemon there is no ledger; the attempt stays refused all the same.
    }
  }

  const reports: Reports = {
    async tell(attempt) {
      const sent = send(attempt);
      pending.add(sent);
      await sent;
      pending.delete(sent);
    },
    async refusal(origin, reason, detail = {}) {
      reports.markKnown(origin);
      const { host, port, isDirect, scheme } = origin;
      await reports.tell({ host, port, isDirect, protocol: scheme === 'https' ? 'tls' : 'tcp', detail: { ...detail, refused: reason } });
    },
    isKnown: (origin) => known.has(origin.socket),
    markKnown: (origin) => void known.add(origin.socket),
    forget: (origin) => void known.delete(origin.socket),
    async settled() {
      await within(limits.closeMs, 'the end', Promise.all(pending), () => {}).catch(() => {});
    },
  };
  return reports;
}
