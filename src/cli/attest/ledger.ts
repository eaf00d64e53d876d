// The result of an attestation goes to the ledger, through the daemon, which is its only writer; `agents pin` looks for it there.
import { type Places, product } from '../../core/index.ts';
import type { AttestRequest } from '../../daemon/index.ts';
import { withDaemon } from '../daemon-at-hand.ts';
import type { CliIo } from '../io.ts';
import type { AttestDocument } from './document.ts';
import type { Subject } from './subject.ts';

export interface Finished {
  readonly subject: Pick<Subject, 'adapter'>;
  readonly document: AttestDocument;
  /** Whether everything was varied that can be. */
  readonly isWhole: boolean;
}

export type Recorder = (finished: Finished, places: Places, io: CliIo) => Promise<void>;

/**
 * What the ledger is told. INVARIANT: a run that varied only a part is no pass, because it would let `agents pin` accept what was never
 * looked at; a marker that it found counts all the same.
 */
export function entryFor({ subject, document, isWhole }: Finished): AttestRequest | undefined {
  const { agent, version, sha256, passed, covert, runs, failedRuns, varied } = document;
  if (passed && !isWhole) return undefined;
  return { agent: subject.adapter?.id ?? agent, version, sha256, passed, covert: covert.length, runs, failedRuns, varied };
}

export const recordInLedger: Recorder = async (finished, places, io) => {
  const entry = entryFor(finished);
  if (entry === undefined) {
    io.stderr.write(`${product.name}: only some surroundings were varied, so this pass is not recorded in the ledger\n`);
    return;
  }
  try {
    const { client, answer } = await withDaemon(places, io.env, (daemon) => daemon.attested(entry));
    client.release();
    io.stderr.write(`${product.name}: recorded as ledger entry ${answer.entry}\n`);
  } catch (fault) {
    // The report stands; without an entry nothing accepts this program because of it.
    io.stderr.write(`${product.name}: not recorded in the ledger: ${fault instanceof Error ? fault.message : String(fault)}\n`);
  }
};
