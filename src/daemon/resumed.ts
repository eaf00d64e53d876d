// The ledger takes entries again after a time in which it could not. The first entry says so; then comes what happened in that time and had
// no place: how allowed acts ended, and which acts stand in the log as allowed though whoever asked was refused.
import type { Ledger, LedgerIndex, Reopened } from '../ledger/index.ts';
import { neverDone } from './lost-outcomes.ts';
import type { Mediation } from './mediation.ts';

export interface ResumedDeps {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly index: Pick<LedgerIndex, 'catchUp' | 'entry'>;
  readonly mediation: Pick<Mediation, 'recordMissed'>;
}

/** @returns what to say of it */
export async function resumed(
  { fault, since, refused, acknowledged, size }: Reopened,
  { ledger, index, mediation }: ResumedDeps,
): Promise<string> {
  await ledger.append({
    action: 'ledger.resume',
    reason: fault,
    detail: { since: since.toISOString(), refused, ...(size > acknowledged ? { unacknowledged: size - acknowledged } : {}) },
  });
  await mediation.recordMissed();
  if (size > acknowledged) {
    await index.catchUp();
    await Promise.all(neverDone(index, acknowledged, size).map((entry) => ledger.append(entry)));
  }
  return `the ledger takes entries again; it refused ${refused} since ${since.toISOString()}`;
}
