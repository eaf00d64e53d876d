// Why a decision fell as it did: the determining policies in their authors' words, and what single change would turn it.
import {
  assertNever,
  type Classification,
  classificationRank,
  classifications,
  type Decision,
  type PolicyId,
  purposes,
  type Request,
  type Target,
  type Vetting,
} from '../core/index.ts';
import type { Bundle } from './bundle.ts';
import { decide, rulingsOn } from './decide.ts';
import type { Evaluate } from './evaluate.ts';
import type { Facts } from './question.ts';
import { fillReason } from './reason.ts';

export interface DeterminingPolicy {
  readonly id: PolicyId;
  readonly effect: 'permit' | 'forbid';
  /** Its `@reason`, filled in. */
  readonly reason: string | undefined;
  /** `@reason`, `@effect`, `@approvers`, … as written. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly file: string;
  readonly line: number;
}

export interface Explanation {
  readonly decision: Decision;
  readonly rulings: readonly {
    /** `PROVIDER/MODEL` of a candidate; `undefined` for what is not a model call. */
    readonly target: string | undefined;
    readonly decision: 'allow' | 'deny';
    readonly policies: readonly DeterminingPolicy[];
    /** Ids of policies that failed to evaluate. */
    readonly errors: readonly string[];
  }[];
  /** Single changes to the request that turn the decision, as people would say them. */
  readonly changes: readonly string[];
}

export function explain(request: Request, facts: Facts, evaluate: Evaluate, bundle: Bundle): Explanation {
  const reasonOf = (policy: PolicyId) => bundle.policies.get(policy)?.json.annotations?.['reason'];
  const decision = decide(request, facts, evaluate, reasonOf);
  const turned = variationsOf(request, facts).filter(
    (variation) => decide(variation.request, variation.facts, evaluate, reasonOf).effect !== decision.effect,
  );
  return {
    decision,
    rulings: rulingsOn(request, facts, evaluate).map(({ target, answer }) => ({
      target: target && `${target.provider}/${target.model}`,
      decision: answer.errors.length > 0 ? 'deny' : answer.decision,
      policies: answer.determining.flatMap((id) => describe(bundle, id, (reason) => fillReason(reason, request, facts, target))),
      errors: answer.errors,
    })),
    changes: turned.map(({ change }) => change),
  };
}

function describe(bundle: Bundle, id: PolicyId, fill: (reason: string) => string): DeterminingPolicy[] {
  const policy = bundle.policies.get(id);
  if (!policy) return [];
  const { json, file, line } = policy;
  const { annotations = {} } = json;
  const { reason } = annotations;
  return [{ id, effect: json.effect, reason: reason === undefined ? undefined : fill(reason), annotations, file, line }];
}

interface Variation {
  readonly change: string;
  readonly request: Request;
  readonly facts: Facts;
}

function variationsOf(request: Request, facts: Facts): readonly Variation[] {
  const { principal, act } = request;
  const vetting: Vetting = principal.vetting === 'vetted' ? 'unvetted' : 'vetted';
  const classes: readonly Classification[] = classifications.filter((c) => c !== facts.classification);
  return [
    ...facts.labels.map((label) => ({
      change: `without the label ${label}`,
      request,
      facts: { ...facts, labels: facts.labels.filter((other) => other !== label) },
    })),
    ...classes
      .toSorted((a, b) => Math.abs(rankFrom(facts, a)) - Math.abs(rankFrom(facts, b)))
      .map((classification) => ({ change: `with ${classification} data`, request, facts: { ...facts, classification } })),
    ...purposes
      .filter((purpose) => purpose !== principal.purpose)
      .map((purpose) => ({ change: `for the purpose ${purpose}`, request: { principal: { ...principal, purpose }, act }, facts })),
    {
      change: `with ${vetting === 'vetted' ? 'a vetted' : 'an unvetted'} tool`,
      request: { principal: { ...principal, vetting }, act },
      facts,
    },
    ...actVariations(request, facts),
  ];
}

function actVariations({ principal, act }: Request, facts: Facts): readonly Variation[] {
  switch (act.action) {
    case 'llm.invoke': {
      if (act.targets.some(({ perimeter }) => perimeter === 'onprem')) return [];
      const inside: Target = { provider: 'onprem', model: act.requestedModel, dialect: act.dialect, perimeter: 'onprem', vetted: true };
      return [{ change: 'with an onprem target', request: { principal, act: { ...act, targets: [...act.targets, inside] } }, facts }];
    }
    case 'http.request':
    case 'net.connect': {
      const change = `${act.isGranted ? 'without' : 'with'} a grant for ${act.host}:${act.port}`;
      return [{ change, request: { principal, act: { ...act, isGranted: !act.isGranted } }, facts }];
    }
    case 'process.exec':
      return [];
    case 'secret.use': {
      const change = `${act.isGranted ? 'without' : 'with'} a grant for the key ${act.name}`;
      return [{ change, request: { principal, act: { ...act, isGranted: !act.isGranted } }, facts }];
    }
    default:
      return assertNever(act);
  }
}

function rankFrom(facts: Facts, classification: Classification): number {
  return classificationRank(classification) - classificationRank(facts.classification);
}
