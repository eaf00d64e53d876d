// What a detector is: a shape with its own samples. One small file per family in detectors/, listed in detectors/registry.ts.
import type { FindingKind, Label, Tier } from '../core/index.ts';

export interface Detector {
  readonly id: string;
  readonly kind: FindingKind;
  readonly label: Label;
  readonly tier: Tier;
  /** Lower-case literals. The pattern is tried only where one of them stands. */
  readonly keywords: readonly string[];
  /** The group `value`, where there is one, is what was found; else the whole match. */
  readonly pattern: RegExp;
  /** How far before its keyword the pattern may begin. 0: the pattern begins with the keyword. */
  readonly lookback: number;
  /** How far behind the start of the keyword the pattern may reach; a bound on the work that one keyword can cause. */
  readonly reach: number;
  /** Bits per character that the value must have: keeps fixtures like `xxxxxxxx` out. */
  readonly minEntropy: number;
  /** The last word: a checksum, a parse. False means that the value cannot be genuine. */
  readonly verify: (value: string) => boolean;
  readonly hits: readonly string[];
  readonly misses: readonly string[];
}

type Optional = 'kind' | 'tier' | 'lookback' | 'reach' | 'minEntropy' | 'verify';

/**
 * Completes a definition with the defaults. `tier` is `block` unless said otherwise: a shape of its own has next to no false
 * positives; what is known only by its surroundings must say `route` or `count`.
 */
export function detector(definition: Omit<Detector, Optional> & Partial<Pick<Detector, Optional>>): Detector {
  return {
    kind: 'secret',
    tier: 'block',
    lookback: 0,
    reach: 400,
    minEntropy: 0,
    verify: () => true,
    ...definition,
  };
}
