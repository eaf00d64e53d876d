// What a rule is: it takes facts and yields findings. One file per rule, listed in registry.ts; docs/audit/ID.md explains each.
import type { Confidence } from '../catalogue/index.ts';
import type { Facts } from '../facts.ts';
import type { Doc } from '../load.ts';

export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];
export type FindingConfidence = 'low' | 'medium' | 'high';

/** What a rule yields. Everything that it leaves out comes from the rule or the document. */
export interface Hit {
  readonly agent?: string;
  readonly doc?: Doc;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly message: string;
  readonly remedy?: string;
  readonly severity?: Severity;
  readonly confidence?: FindingConfidence;
  /** Stands in a sample directory although there is no document. */
  readonly isSample?: boolean;
}

export interface Rule {
  /** Stable, as in the documentation and in baselines. */
  readonly id: string;
  readonly severity: Severity;
  readonly summary: string;
  /** OWASP Top 10 for Agentic Applications 2026 (ASI) and for LLM Applications 2025 (LLM). */
  readonly owasp: readonly string[];
  readonly remedy: string;
  check(facts: Facts): Iterable<Hit>;
}

export function rule(definition: Rule): Rule {
  return definition;
}

export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}

/** What the catalogue is sure of, in the words of findings. */
export function confidenceOf(confidence: Confidence): FindingConfidence {
  return confidence === 'verified' ? 'high' : confidence === 'docs' ? 'medium' : 'low';
}
