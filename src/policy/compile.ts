// The hot path: validated policies as closures, made from Cedar's own JSON form of them (policyToJson). Same answers as
// cedar-wasm at a small part of the cost; the differential tests hold it to that. What it does not know makes it `undefined`,
// and the whole set is then evaluated by cedar-wasm.
import type { PolicyJson, PrincipalConstraint, ResourceConstraint } from '@cedar-policy/cedar-wasm/nodejs';
import { assertNever, type PolicyId } from '../core/index.ts';
import { type ActionTable, actionsOf } from './action-index.ts';
import type { Answer, Evaluate } from './evaluate.ts';
import { compileExpression, type Environment, EvaluationError, entityOf, isDescendant, Unsupported } from './expression.ts';
import type { Question } from './question.ts';
import { namespace } from './schema.ts';
import { EntityUid } from './value.ts';

type Test = (env: Environment) => boolean;

interface Compiled {
  readonly id: PolicyId;
  readonly effect: 'permit' | 'forbid';
  readonly applies: Test;
}

/** `undefined` when a policy uses something that only cedar-wasm can evaluate. */
export function compilePolicies(policies: ReadonlyMap<PolicyId, PolicyJson>, table: ActionTable): Evaluate | undefined {
  const byAction = new Map<string, Compiled[]>(table.concrete.map((action) => [action, []]));
  try {
    // Sorted once, so that the determining policies come out sorted.
    for (const [id, policy] of [...policies].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const compiled: Compiled = { id, effect: policy.effect, applies: compilePolicy(policy) };
      for (const action of actionsOf(table, policy.action)) byAction.get(action)?.push(compiled);
    }
  } catch (fault) {
    if (fault instanceof Unsupported) return undefined;
    throw fault;
  }
  const actionAncestors = new Map(
    [...table.groupsOf].map(([action, groups]) => [action, groups.slice(1).map((group) => new EntityUid(`${namespace}::Action`, group))]),
  );
  return (question) => {
    const candidates = byAction.get(question.action);
    if (!candidates) return { decision: 'deny', determining: [], errors: ['the question is not valid'] };
    return answerOf(candidates, environmentOf(question, actionAncestors.get(question.action) ?? []));
  };
}

function environmentOf({ principal, action, resource, context, entities }: Question, groups: readonly EntityUid[]): Environment {
  const actionUid = new EntityUid(`${namespace}::Action`, action);
  const slice = new Map(entities.map((entity) => [entity.uid.key, entity]));
  slice.set(actionUid.key, { uid: actionUid, attrs: {}, ancestors: groups });
  return { principal, action: actionUid, resource, context, entities: slice };
}

/** Cedar's authorizer: a forbid that applies denies, else a permit that applies allows, else nothing does. */
function answerOf(candidates: readonly Compiled[], env: Environment): Answer {
  const permits: PolicyId[] = [];
  const forbids: PolicyId[] = [];
  const errors: PolicyId[] = [];
  for (const { id, effect, applies } of candidates) {
    try {
      if (applies(env)) (effect === 'permit' ? permits : forbids).push(id);
    } catch (fault) {
      if (!(fault instanceof EvaluationError)) throw fault;
      errors.push(id);
    }
  }
  if (forbids.length > 0) return { decision: 'deny', determining: forbids, errors };
  return { decision: permits.length > 0 ? 'allow' : 'deny', determining: permits, errors };
}

function compilePolicy(policy: PolicyJson): Test {
  const principal = compileScope(policy.principal, (env) => env.principal);
  const resource = compileScope(policy.resource, (env) => env.resource);
  const conditions = policy.conditions.map(({ kind, body }): Test => {
    const evaluate = compileExpression(body);
    return (env) => {
      const value = evaluate(env);
      if (typeof value !== 'boolean') throw new EvaluationError('a condition is not a boolean');
      return kind === 'when' ? value : !value;
    };
  });
  return (env) => principal(env) && resource(env) && conditions.every((condition) => condition(env));
}

function compileScope(constraint: PrincipalConstraint | ResourceConstraint, subject: (env: Environment) => EntityUid): Test {
  switch (constraint.op) {
    case 'All':
      return () => true;
    case '==': {
      if (!('entity' in constraint)) throw new Unsupported('a template');
      const { key } = entityOf(constraint.entity);
      return (env) => subject(env).key === key;
    }
    case 'in': {
      if (!('entity' in constraint)) throw new Unsupported('a template');
      const ancestor = entityOf(constraint.entity);
      return (env) => isDescendant(env, subject(env), ancestor);
    }
    case 'is': {
      const { entity_type: type, in: within } = constraint;
      if (!within) return (env) => subject(env).type === type;
      if (!('entity' in within)) throw new Unsupported('a template');
      const ancestor = entityOf(within.entity);
      return (env) => subject(env).type === type && isDescendant(env, subject(env), ancestor);
    }
    default:
      return assertNever(constraint);
  }
}
