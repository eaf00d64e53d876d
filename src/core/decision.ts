// A decision is a value. A fault is an exception; `failClosed` is the one place where a fault becomes a decision.
import { type Code, codeOf, faults } from './error.ts';
import type { Target } from './request.ts';

export type PolicyId = string;

/**
 * Rules of the enforcement points themselves, which hold whatever policy says: what a refusal names that no policy made. A policy's id has
 * a pack before it, so none is mistaken for one.
 */
export const ownRules = [
  'admission',
  'ban',
  'budget',
  'credentials',
  'egress',
  'fail-closed',
  'model-map',
  'provider-tools',
  'signing',
] as const satisfies readonly PolicyId[];
export type OwnRule = (typeof ownRules)[number];

/** Why something was refused: a stable code and one sentence for a person. */
export interface Reason {
  /** `POLICY` when a policy said no, else the code of the fault. */
  readonly code: 'POLICY' | Code;
  readonly text: string;
}

/** Where an allowed act may go: the allowed targets of a model call in order of preference, or the place that was asked for. */
export type Route = { readonly kind: 'targets'; readonly targets: readonly [Target, ...Target[]] } | { readonly kind: 'direct' };

export type Decision =
  | { readonly effect: 'allow'; readonly route: Route; readonly policies: readonly PolicyId[] }
  | { readonly effect: 'deny'; readonly reason: Reason; readonly policies: readonly PolicyId[] };

/** The refusal that a fault makes. Its text never carries the fault's own message, which may quote a payload. */
export function denyFor(code: Code): Decision {
  return { effect: 'deny', reason: { code, text: `${faults[code].says} (${code})` }, policies: [] };
}

export function deny(text: string, policies: readonly PolicyId[] = []): Decision {
  return { effect: 'deny', reason: { code: 'POLICY', text }, policies };
}

/** Runs `step`; a fault becomes a refusal. The only place where one turns into the other. */
export async function failClosed(step: () => Promise<Decision>, onFault: (fault: unknown) => void = () => {}): Promise<Decision> {
  try {
    return await step();
  } catch (fault) {
    onFault(fault);
    return denyFor(codeOf(fault) ?? 'INTERNAL');
  }
}

/** Ends a `switch` over a union: a new member that nobody handles does not compile. */
export function assertNever(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`);
}
