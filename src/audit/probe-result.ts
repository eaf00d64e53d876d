// What a probe asks an agent for, and what came of it.

export type ProbeAct = { readonly do: 'shell'; readonly command: string } | { readonly do: 'read' | 'write'; readonly path: string };

export interface ProbePlan {
  readonly agent: string;
  readonly workspace: string;
  readonly rule: string;
  readonly mode: 'deny' | 'ask';
  readonly file: string;
  readonly line: number;
  readonly act: ProbeAct;
}

/** Not enforced: it happened. Unknown: the agent was never asked, or did nothing at all. */
export type ProbeOutcome = 'enforced' | 'not-enforced' | 'unknown';

export interface ProbeResult extends ProbePlan {
  readonly version: string | undefined;
  readonly outcome: ProbeOutcome;
  /** How the agent was started. */
  readonly how: 'asking' | 'unattended';
  /** What was seen, in a few words. */
  readonly evidence: string;
}

export interface Unprobed {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly why: string;
}

export interface Probed {
  readonly results: readonly ProbeResult[];
  /** Rules that were not tried, each with why. */
  readonly unprobed: readonly (Unprobed & { readonly agent: string })[];
  /** Agents that are here and were not asked, each with why. */
  readonly silent: readonly { readonly agent: string; readonly why: string }[];
}
