// An attestation as it is printed, kept and read again.
import type { Attestation, Factor, Hint } from '../../attest/index.ts';
import { IntramurError } from '../../core/index.ts';

export const schema = 'intramur/attest/1';

/** What the report says beside what was compared. */
export interface About {
  readonly agent: string;
  readonly version: string;
  readonly sha256: string;
  /** RFC 3339, UTC. */
  readonly attestedAt: string;
  readonly varied: readonly Factor[];
  readonly notVaried: readonly Factor[];
  /** Bodies of the model calls of a typical run, bytes. */
  readonly modelBytes: number;
  /** `rule:count` of what the gateway's scrubs take out of those, where they go to a public model. */
  readonly scrubbed: readonly string[];
  /** What the program ships; hints only. */
  readonly shipped: readonly Hint[];
}

/** Lines as they were sent: of a marker both, of an open statement one. They hold what differs from run to run. */
export interface Evidence {
  readonly where: string;
  readonly variesWith: readonly Factor[];
  readonly reference?: string;
  readonly varied: string;
}

export interface AttestDocument extends About, Omit<Attestation, 'isConclusive'> {
  readonly schema: typeof schema;
  readonly evidence: readonly Evidence[];
}

/** The findings are the same from time to time; the lines that they were seen in stand apart. */
export function documentOf(about: About, { isConclusive: _said, ...found }: Attestation): AttestDocument {
  const { agent, version, sha256, ...rest } = about;
  const covert = found.covert.map(({ quotes: _apart, ...mark }) => mark);
  const disclosed = found.disclosed.map(({ quote: _apart, ...statement }) => statement);
  const evidence = [
    ...found.covert.flatMap(({ where, variesWith, quotes = [] }) => quotes.map((quote) => ({ where, variesWith, ...quote }))),
    ...found.disclosed.flatMap(({ where, what, quote }) => (quote === undefined ? [] : [{ where, variesWith: [what], varied: quote }])),
  ];
  return { schema, agent, version, sha256, ...found, covert, disclosed, ...rest, evidence };
}

const texts = ['agent', 'version', 'sha256', 'attestedAt'];
const lists = ['covert', 'disclosed', 'sideChannels', 'shipped', 'evidence'];
const factorLists = ['varied', 'notVaried'];

/** @throws IntramurError USAGE for what is no attestation of ours */
export function readDocument(text: string, name: string): AttestDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (!isDocument(value)) throw new IntramurError('USAGE', `${name} is no attestation`, { hint: 'it is what attest --json prints' });
  return value;
}

function isDocument(value: unknown): value is AttestDocument {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return (
    fields.get('schema') === schema &&
    texts.every((name) => typeof fields.get(name) === 'string') &&
    typeof fields.get('passed') === 'boolean' &&
    factorLists.every((name) => Array.isArray(fields.get(name))) &&
    lists.every((name) => {
      const list = fields.get(name);
      return Array.isArray(list) && list.every((item) => typeof item === 'object' && item !== null);
    })
  );
}
