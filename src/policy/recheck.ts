// Keeps the compiled policies honest in production: a sample of the decisions is asked again of cedar-wasm, off the path of the
// request. At the first difference the authority takes over for good.
import type { Answer, Evaluate } from './evaluate.ts';
import type { Question } from './question.ts';

export interface Rechecked {
  readonly evaluate: Evaluate;
  /** True until a difference was found. */
  isTrusted(): boolean;
}

export interface RecheckOptions {
  readonly compiled: Evaluate;
  /** Made on first use. */
  authority(): Promise<Evaluate>;
  /** One decision of so many is asked again, the first among them. */
  readonly every: number;
  /** And no sooner than so long after the last one, milliseconds: under load a share of the decisions would be a share of the load. Default 0. */
  readonly restMs?: number;
  /** Runs `task` after the request has been answered. */
  defer(task: () => void): void;
  /** Told once; gets no content of the request. */
  onDistrust(why: string): void;
}

export function rechecked({ compiled, authority, every, restMs = 0, defer, onDistrust }: RecheckOptions): Rechecked {
  let count = 0;
  let restUntil = Number.NEGATIVE_INFINITY;
  let takenOver: Evaluate | undefined;
  let oracle: Promise<Evaluate> | undefined;
  const recheck = async (question: Question, answer: Answer) => {
    if (takenOver) return;
    oracle ??= authority();
    let authoritative: Evaluate = unavailable;
    try {
      const evaluate = await oracle;
      if (isSame(evaluate(question), answer)) return;
      authoritative = evaluate;
    } catch {
      // It could not be loaded, or it broke: wasm that trapped answers nothing any more.
    }
    if (takenOver) return;
    takenOver = authoritative;
    onDistrust(
      authoritative === unavailable
        ? 'cedar-wasm cannot be asked; everything is refused from now on'
        : `the compiled form differs on ${question.action}; cedar-wasm decides from now on`,
    );
  };
  return {
    isTrusted: () => takenOver === undefined,
    evaluate(question) {
      if (takenOver) return takenOver(question);
      const answer = compiled(question);
      if (count++ % every === 0 && performance.now() >= restUntil) {
        restUntil = performance.now() + restMs;
        defer(() => void recheck(question, answer));
      }
      return answer;
    },
  };
}

/** Nothing is permitted on the word of the compiled form alone. */
const unavailable: Evaluate = () => ({ decision: 'deny', determining: [], errors: ['the authority on policies cannot be asked'] });

function isSame(a: Answer, b: Answer): boolean {
  return a.decision === b.decision && isSameList(a.determining, b.determining) && isSameList(a.errors, b.errors);
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
