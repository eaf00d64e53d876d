// Policy files that ship with the product were parsed and strictly validated when it was built: cedar-wasm needs half a second of CPU for
// it, at each start of a daemon. A file is one of them by SHA-256 over the schema and its bytes, so that a changed pack, or a pack under
// another schema, is validated like a company's own. `npm run golden` writes the record, and a test holds it to what Cedar says.
import crypto from 'node:crypto';
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import record from './data/proven.json' with { type: 'json' };
import { schema } from './schema.ts';

export interface ProvenPolicy {
  /** Where its text begins and ends in the file, in bytes. */
  readonly start: number;
  readonly end: number;
  readonly json: PolicyJson;
}

/** What is known about a file of these bytes, in the order of the file. */
export type Proven = (bytes: Buffer) => readonly ProvenPolicy[] | undefined;

/** By the key of a file. */
export type ProvenRecord = Readonly<Record<string, readonly ProvenPolicy[]>>;

export function provenKey(bytes: Buffer): string {
  return crypto.createHash('sha256').update(schema).update('\0').update(bytes).digest('hex');
}

// JSON gives text where Cedar's types name words; the record is what Cedar itself gave.
const shipped = new Map(Object.entries(record as unknown as ProvenRecord));

export const shippedPolicies: Proven = (bytes) => shipped.get(provenKey(bytes));

/** For what must be seen by Cedar itself. */
export const nothingProven: Proven = () => undefined;
