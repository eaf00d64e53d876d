// The policy decision point: a request and what inspection found, to one Decision. Never throws: what fails is a refusal.
import { type Decision, deny, denyFor, type LlmInvoke, type PolicyId, perimeterRank, type Request, type Target } from '../core/index.ts';
import type { Answer, Evaluate } from './evaluate.ts';
import { type Facts, modelQuestionOf, questionOf } from './question.ts';
import { fillReason } from './reason.ts';

export interface Ruling {
  readonly target: Target | undefined;
  readonly answer: Answer;
}

/** `reasonOf` gives the sentence that a policy's author wrote into its `@reason`. */
export function decide(request: Request, facts: Facts, evaluate: Evaluate, reasonOf: (policy: PolicyId) => string | undefined): Decision {
  try {
    return decisionFrom(request, facts, rulingsOn(request, facts, evaluate), reasonOf);
  } catch {
    return denyFor('POLICY_EVALUATION');
  }
}

/** One answer for each candidate of a model call, inside first; one for anything else. */
export function rulingsOn({ principal, act }: Request, facts: Facts, evaluate: Evaluate): readonly Ruling[] {
  if (act.action !== 'llm.invoke') return [{ target: undefined, answer: evaluate(questionOf({ principal, act }, facts)) }];
  const insideFirst =
    act.targets.length < 2 ? act.targets : act.targets.toSorted((a, b) => perimeterRank(b.perimeter) - perimeterRank(a.perimeter));
  return insideFirst.map((target) => ({ target, answer: evaluate(modelQuestionOf(principal, act, target, facts)) }));
}

function decisionFrom(
  request: Request,
  facts: Facts,
  rulings: readonly Ruling[],
  reasonOf: (policy: PolicyId) => string | undefined,
): Decision {
  const { act } = request;
  // INVARIANT: one failed policy denies the whole act, candidates that look allowed included: what failed may have been a forbid.
  if (rulings.some(({ answer }) => answer.errors.length > 0)) return denyFor('POLICY_EVALUATION');
  const allowed = rulings.filter(({ answer }) => answer.decision === 'allow');
  const counted = allowed.length > 0 ? allowed : rulings;
  const [only] = counted;
  const policies =
    only && counted.length === 1 ? only.answer.determining : [...new Set(counted.flatMap(({ answer }) => answer.determining))];
  if (allowed.length === 0) return deny(reasonFor(request, facts, rulings, reasonOf), policies);
  if (act.action !== 'llm.invoke') return { effect: 'allow', route: { kind: 'direct' }, policies };
  const [first, ...rest] = allowed.flatMap(({ target }) => (target ? [target] : []));
  return first ? { effect: 'allow', route: { kind: 'targets', targets: [first, ...rest] }, policies } : denyFor('POLICY_EVALUATION');
}

/** That of the first policy that determined, about the candidate that it spoke of. */
function reasonFor(request: Request, facts: Facts, rulings: readonly Ruling[], reasonOf: (policy: PolicyId) => string | undefined): string {
  const { act } = request;
  const ruling = rulings.find(({ answer }) => answer.determining.length > 0);
  const policy = ruling?.answer.determining[0];
  if (policy !== undefined) {
    return `${fillReason(reasonOf(policy) ?? 'a policy forbids this', request, facts, ruling?.target)} (policy ${policy})`;
  }
  if (act.action === 'llm.invoke') return noTarget(act);
  if (act.action === 'process.exec') return `no policy permits to start ${shown(act.path)} (default deny)`;
  if (act.action === 'secret.use') return `no policy permits the use of the key ${shown(act.name)} (default deny)`;
  return `no policy permits ${act.class === 'other' ? 'traffic' : `${act.class} traffic`} to ${shown(act.host)}:${act.port} (default deny)`;
}

function noTarget({ requestedModel, targets }: LlmInvoke): string {
  const model = JSON.stringify(shown(requestedModel));
  return targets.length === 0
    ? `no provider is configured for the model ${model} (default deny)`
    : `no policy permits the model ${model} (default deny)`;
}

/** Text from outside as part of one line. */
function shown(text: string): string {
  return text.replace(/[\p{C}\s]/gu, '?').slice(0, 253);
}
