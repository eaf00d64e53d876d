// Two attestations of an agent, one before and one after an upgrade: what came, what went.
import type { Attestation } from './bench.ts';
import type { Factor } from './factors.ts';
import type { SideChannel } from './side-channel.ts';
import type { Covert } from './sign.ts';

type Compared = Pick<Attestation, 'covert' | 'disclosed' | 'sideChannels' | 'passed'>;

/** That a factor is stated to somebody, wherever: places move from version to version. */
export interface Statement {
  readonly what: Factor;
  readonly to: string;
}

export interface Changes<T> {
  readonly gone: readonly T[];
  readonly added: readonly T[];
}

export interface AttestationDiff {
  readonly covert: Changes<Covert> & { readonly kept: readonly Covert[] };
  readonly disclosed: Changes<Statement>;
  readonly sideChannels: Changes<SideChannel>;
  /** Whether the later one passed and hides nothing that the earlier did not. */
  readonly passed: boolean;
}

export function compareAttestations(before: Compared, after: Compared): AttestationDiff {
  const markOf = ({ channel, where, variesWith }: Covert): string => `${channel} ${where} ${variesWith.toSorted().join()}`;
  const marks = changes(before.covert, after.covert, markOf);
  const kept = after.covert.filter((mark) => !marks.added.includes(mark));
  const statements = ({ disclosed }: Compared): Statement[] => distinctBy(disclosed, textOf).map(({ what, to }) => ({ what, to }));
  return {
    covert: { ...marks, kept },
    disclosed: changes(statements(before), statements(after), textOf),
    sideChannels: changes(before.sideChannels, after.sideChannels, (channel) => `${channel.class} ${channel.host}`),
    passed: after.passed && marks.added.length === 0,
  };
}

function textOf({ what, to }: Statement): string {
  return `${what} to ${to}`;
}

function changes<T>(before: readonly T[], after: readonly T[], keyOf: (item: T) => string): Changes<T> {
  const [old, now] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  return { gone: before.filter((item) => !now.has(keyOf(item))), added: after.filter((item) => !old.has(keyOf(item))) };
}

function distinctBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
