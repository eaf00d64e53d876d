// How much a cluster of hits says, as a rule of policy wants it. The thresholds are measured by `npm run bench:inspect`.
import type { Tier } from '../../core/index.ts';
import type { Channel } from './grams.ts';

/** Distinct keys of one document, channel by channel. */
export type Tally = Record<Channel, number>;

export interface Strength {
  readonly tier: Tier;
  readonly score: number;
}

export function strengthOf({ E8, E12, L, S }: Tally): Strength | undefined {
  const score = 2 * E12 + E8 + L + S;
  if (E12 >= 2) return { tier: 'block', score };
  if (E8 >= 2 || L >= 3 || S >= 1) return { tier: 'route', score };
  if (E8 >= 1 || L >= 2) return { tier: 'count', score };
  return undefined;
}
