// What an evaluator answers, and cedar-wasm as one: the authority on what a policy means, ~1 ms a question.
import type { CheckParseAnswer, EntityUidJson, Policy } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyId } from '../core/index.ts';
import type { EntityData, Question } from './question.ts';
import { namespace, schema } from './schema.ts';
import { type EntityUid, RecordValue, toJson } from './value.ts';

export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

/** INVARIANT: an answer with `errors` is never an allow: Cedar skips a `forbid` that failed. Its readers deny. */
export interface Answer {
  readonly decision: 'allow' | 'deny';
  /** The policies that made it so, sorted. */
  readonly determining: readonly PolicyId[];
  /** Ids of policies that failed, or a word for a question that Cedar did not take. */
  readonly errors: readonly string[];
}

export type Evaluate = (question: Question) => Answer;

let loading: Promise<Cedar> | undefined;

/** The schema is the same for every set, and parsing it is most of what making an evaluator costs. */
let schemaParse: CheckParseAnswer | undefined;

/** Loads 4 MB of wasm on first use: nothing but a daemon and the policy commands should. */
export function loadCedar(): Promise<Cedar> {
  loading ??= import('@cedar-policy/cedar-wasm/nodejs');
  return loading;
}

/**
 * @param name of this set in cedar-wasm's cache, which has no way to drop one: equal sets must have equal names
 * @param policies by policy id, already validated
 */
export function createWasmEvaluator(cedar: Cedar, name: string, policies: Record<PolicyId, Policy>): Evaluate {
  schemaParse ??= cedar.preparseSchema(namespace, schema);
  const policyParse = cedar.preparsePolicySet(name, { staticPolicies: policies });
  if (schemaParse.type === 'failure' || policyParse.type === 'failure')
    return () => ({ decision: 'deny', determining: [], errors: ['the policy set does not parse'] });

  return ({ principal, action, resource, context, entities }) => {
    const answer = cedar.statefulIsAuthorized({
      principal: uidJson(principal),
      action: { type: `${namespace}::Action`, id: action },
      resource: uidJson(resource),
      context: Object.fromEntries(Object.entries(context.fields).map(([key, value]) => [key, toJson(value)])),
      preparsedSchemaName: namespace,
      validateRequest: true,
      preparsedPolicySetId: name,
      entities: entities.map(entityJson),
    });
    if (answer.type !== 'success') return { decision: 'deny', determining: [], errors: ['the question is not valid'] };
    const { decision, diagnostics } = answer.response;
    return { decision, determining: diagnostics.reason.toSorted(), errors: diagnostics.errors.map(({ policyId }) => policyId).toSorted() };
  };
}

function uidJson({ type, id }: EntityUid): EntityUidJson {
  return { type, id };
}

function entityJson({ uid, attrs, ancestors }: EntityData) {
  const fields = toJson(new RecordValue(attrs));
  return {
    uid: uidJson(uid),
    attrs: typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? Object.fromEntries(Object.entries(fields)) : {},
    parents: ancestors.map(uidJson),
  };
}
