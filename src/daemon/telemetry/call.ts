// What a collector is told of one model call. INVARIANT: kinds, names and counts; no content, no path, no reason in anybody's words.
import { type Classification, classificationRank, type Perimeter, type Principal, perimeterRank } from '../../core/index.ts';

export interface ObservedCall {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly principal: Pick<Principal, 'session' | 'agent' | 'purpose'>;
  /** The name that was asked for. */
  readonly requestedModel: string;
  /** Left out when it never came to a target. */
  readonly target?: { readonly provider: string; readonly model: string; readonly perimeter: Perimeter };
  /** Of payload and session; left out when the monitor did not come that far. */
  readonly classification?: Classification;
  readonly decision: 'allow' | 'deny';
  readonly policies: readonly string[];
  readonly ledgerIndex: number | undefined;
  readonly status?: number;
  /** Set when it did not end well: a status, or one of our own words. */
  readonly errorType?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cachedTokens?: number;
}

/** A collector is a place that data about data goes to: it hears of no call of a higher class than its perimeter may receive. */
export function mayBeTold(perimeter: Perimeter, { classification = 'restricted' }: ObservedCall): boolean {
  return classificationRank(classification) <= perimeterRank(perimeter);
}
