// The words of a refusal, and its form in the caller's dialect.
import { codeOf, type Dialect, type ExchangeReply, faults, product } from '../core/index.ts';
import { type RefusalKind, refusal } from '../wire/index.ts';

export interface Refused {
  readonly reason: string;
  /** Determining policies, or the gateway's own rule by its name. */
  readonly policies: readonly string[];
  /** Index of the decision in the ledger; `undefined` when it could not be recorded. */
  readonly entry: number | undefined;
  readonly kind: RefusalKind;
}

/** `Intramur refused: REASON (policy P, ledger entry N)`; a reason of the policy engine names its policy itself. */
export function refusalText({ reason, policies, entry }: Omit<Refused, 'kind'>): string {
  const by = reason.includes('(policy ') ? [] : [`policy ${policies.length > 0 ? policies.join(', ') : 'fail-closed'}`];
  const where = entry === undefined ? 'not in the ledger' : `ledger entry ${entry}`;
  return `${product.refusalPrefix} ${reason} (${[...by, where].join(', ')})`;
}

export function refuse(dialect: Dialect, refused: Refused): ExchangeReply {
  return refusal(dialect, { message: refusalText(refused), kind: refused.kind });
}

/** What a fault is called towards a caller. Our own messages hold no payload; anything else stays inside. */
export function faultText(fault: unknown): string {
  const code = codeOf(fault) ?? 'INTERNAL';
  return code === 'INTERNAL' || !(fault instanceof Error) ? faults[code].says : `${faults[code].says}: ${fault.message}`;
}
