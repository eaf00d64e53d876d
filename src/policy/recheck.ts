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
  authority(): Evaluate;
  /** One decision of so many is asked again, the first among them. */
  readonly every: number;
  /** Runs `task` after the request has been answered. */
  defer(task: () => void): void;
  /** Told once; gets no content of the request. */
  onDifference(action: string): void;
}

export function rechecked({ compiled, authority, every, defer, onDifference }: RecheckOptions): Rechecked {
  let count = 0;
  let takenOver: Evaluate | undefined;
  let oracle: Evaluate | undefined;
  const recheck = (question: Question, answer: Answer) => {
    if (takenOver) return;
    oracle ??= authority();
    if (isSame(oracle(question), answer)) return;
    takenOver = oracle;
    onDifference(question.action);
  };
  return {
    isTrusted: () => takenOver === undefined,
    evaluate(question) {
      if (takenOver) return takenOver(question);
      const answer = compiled(question);
      if (count++ % every === 0) defer(() => recheck(question, answer));
      return answer;
    },
  };
}

function isSame(a: Answer, b: Answer): boolean {
  return a.decision === b.decision && isSameList(a.determining, b.determining) && isSameList(a.errors, b.errors);
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
