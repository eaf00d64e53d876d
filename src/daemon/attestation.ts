// An attestation as the ledger keeps it: of which program, what was varied, and whether it passed. `agents pin` looks for exactly this.
import type { EntryBody } from '../core/index.ts';

/** The entry for what a caller says it found; `undefined` for anything that is not of that form. */
export function attestationEntry(said: unknown): EntryBody | undefined {
  if (typeof said !== 'object' || said === null) return undefined;
  const { agent, version, sha256, passed, covert, runs, failedRuns, varied } = Object.fromEntries(Object.entries(said));
  if (!isWord(agent) || !isWord(version) || typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (typeof passed !== 'boolean' || !isCount(covert) || !isCount(runs) || !isCount(failedRuns)) return undefined;
  if (!Array.isArray(varied) || varied.length > 64 || !varied.every(isWord)) return undefined;
  // A marker that was found is no pass, whatever else is said.
  return { action: 'agent.attest', agent, detail: { version, sha256, passed: passed && covert === 0, covert, runs, failedRuns, varied } };
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 128 && !/\p{C}/u.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
