// The company's source as a session of inspection uses it: the table of keys, the secret they were made with, and what each
// document number stands for.
import type { Classification } from '../../core/index.ts';
import type { Table } from './table.ts';

export interface SourceDocument {
  readonly repository: string;
  /** Inside the repository, with forward slashes. */
  readonly path: string;
  readonly classification: Classification;
}

export interface FingerprintIndex {
  readonly table: Table;
  readonly secret: Uint8Array;
  /** Document n stands at n - 1. */
  readonly documents: readonly SourceDocument[];
  /** Changes with every build: what was remembered of another version does not count. */
  readonly version: string;
}
