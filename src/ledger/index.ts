// The door of the ledger: a transparency log that existing tools verify. Append, read, prove, verify, and an index for queries.

export type { Ledger, LedgerOptions } from './ledger.ts';
export { type ClassCount, type IndexFilter, type LedgerIndex, openIndex } from './ledger-index.ts';
export { type Lock, lockFile } from './lock.ts';
export { type ProofVerdict, proveEntry, verifyProof } from './prove.ts';
export { type EntryRange, readEntries, readEntry, readEntryBytes, readHead, readSize } from './read.ts';
export { openLedger, type Reopened, type ReopeningOptions } from './reopening.ts';
export { type Verification, type VerifyOptions, verifyLedger } from './verify.ts';
