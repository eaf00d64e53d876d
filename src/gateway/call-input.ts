// What one model call brings along, and what handling it needs of the rest of the product.
import type { Readable } from 'node:stream';
import type { Body, Classification, Decision, ExchangeHead, OwnRule, Principal, Request, Target } from '../core/index.ts';
import type { BodyCall, Usage } from '../wire/index.ts';
import type { Admitted } from './admission.ts';
import type { AttemptDeps } from './attempt.ts';
import type { Departure } from './departure.ts';
import type { Metrics } from './metrics.ts';
import type { Outcomes } from './outcomes.ts';
import type { BodyLimits } from './read-body.ts';
import type { Originals } from './restore-secrets.ts';

export interface Mediated {
  readonly decision: Decision;
  readonly entry: { readonly index: number } | undefined;
  /** Of payload and session together; left out when the monitor did not come that far. */
  readonly classification?: Classification;
  /** What is sent instead of the body: its secrets are placeholders, which the answer gets back. */
  readonly replaced?: { readonly bytes: Uint8Array; readonly originals: Originals };
}

export interface CallDeps extends AttemptDeps {
  mediate(request: Request, body: Body): Promise<Mediated>;
  /** Records what was refused here, before policy was asked. */
  recordRefusal(request: Request, reason: string, rule: OwnRule): Promise<Mediated>;
  readonly outcomes: Outcomes;
  /** What becomes of tools that the provider runs by itself, for data that not everybody may see. */
  readonly providerTools: 'strip' | 'refuse';
  readonly metrics: Metrics;
  readonly limits: CallLimits;
  onFault(fault: unknown): void;
}

export interface CallLimits extends BodyLimits {
  /** For inspection, decision and ledger together; a refusal reaches the caller within 5 s. */
  readonly mediateMs: number;
  readonly keepAliveMs: number;
}

/** What a caller with a budget may still do. */
export interface Allowance {
  /** Takes one request off the budget. Why not, when it is used up. */
  take(): string | undefined;
  spend(spent: Spent): void;
}

export interface Spent {
  readonly target: Target;
  readonly usage: Usage | undefined;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

export interface CallInput {
  readonly call: BodyCall;
  readonly head: ExchangeHead;
  readonly body: Readable;
  readonly principal: Principal;
  readonly signal: Departure;
  /** The call's place among those under way. */
  readonly place: Admitted;
  readonly allowance?: Allowance;
}
