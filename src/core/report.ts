// What inspection says of a payload. Findings never hold the secret itself.
import type { Code } from './error.ts';
import type { Classification, Label } from './words.ts';

/** `block`: near-zero false positives; `route`: send inside only; `count`: adds to the session. */
export type Tier = 'block' | 'route' | 'count';

export type FindingKind = 'secret' | 'source' | 'pii' | 'hidden-text';

export interface InspectFinding {
  readonly kind: FindingKind;
  readonly tier: Tier;
  readonly detector: string;
  /** The decoders that were needed to see it, outermost first; empty for plain text. */
  readonly view: readonly string[];
  /** Byte offsets in the input; for decoded views, of the outermost encoded run. */
  readonly start: number;
  readonly end: number;
  readonly repository?: string;
  /** Path inside `repository`. */
  readonly document?: string;
  readonly score?: number;
  /** Kind, length and a short fingerprint of what was found. Never the value. */
  readonly redacted: string;
}

export interface Report {
  readonly bytes: number;
  /** The highest class of the repositories found at tier block or route; `public` when none was. */
  readonly classification: Classification;
  readonly labels: readonly Label[];
  readonly findings: readonly InspectFinding[];
  /** Something in it can be read by nobody without its program or key: pictures, documents, ciphertext. */
  readonly isOpaque?: boolean;
  /** Set when not everything could be looked at: the payload is then never called clean. */
  readonly refused?: { readonly code: Code; readonly reason: string };
  /** Milliseconds from the parsed input to the finished findings. */
  readonly ms: number;
}
