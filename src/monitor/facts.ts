// What policy is told beside the request itself.
import type { Classification, Label } from '../core/index.ts';

export interface Facts {
  readonly labels: readonly Label[];
  /** The higher of the payload's class and of what the session has read before. */
  readonly classification: Classification;
  readonly now: Date;
}
