// The words that decide (docs/architecture.md, "Words"). Each list is ordered as its comment says; ranks are positions in it.

/** How sensitive data is, least first. */
export const classifications = ['public', 'internal', 'confidential', 'restricted'] as const;
export type Classification = (typeof classifications)[number];

/** Where a target stands, inside first. */
export const perimeters = ['onprem', 'vpc', 'public'] as const;
export type Perimeter = (typeof perimeters)[number];

export const purposes = ['research', 'production'] as const;
export type Purpose = (typeof purposes)[number];

/** One named fact about a payload. */
export const labels = ['secret', 'pii', 'source', 'license', 'customer', 'hidden-text', 'opaque'] as const;
export type Label = (typeof labels)[number];

/** Why a program talks to a host. Vendors mix these on one host, so the class follows from host and path. */
export const egressClasses = ['model', 'telemetry', 'remote-config', 'update', 'catalogue', 'tool', 'login', 'other'] as const;
export type EgressClass = (typeof egressClasses)[number];

export const dialects = ['anthropic-messages', 'openai-chat', 'openai-responses', 'gemini'] as const;
export type Dialect = (typeof dialects)[number];

export const vettings = ['vetted', 'unvetted', 'banned'] as const;
export type Vetting = (typeof vettings)[number];

/** 0 for `public` data up to 3 for `restricted`. */
export function classificationRank(classification: Classification): number {
  return classifications.indexOf(classification);
}

export function highestClassification(a: Classification, b: Classification): Classification {
  return classificationRank(a) >= classificationRank(b) ? a : b;
}

/** The highest classification rank that a target of this perimeter may receive: public 1 (internal), vpc 2, onprem 3. */
export function perimeterRank(perimeter: Perimeter): number {
  return perimeters.length - perimeters.indexOf(perimeter);
}
