import { describe, expect, it } from 'vitest';
import type { Answer, Evaluate } from './evaluate.ts';
import { questionOf } from './question.ts';
import { rechecked } from './recheck.ts';
import { facts, httpRequest, principal } from './testdata/request.ts';

const question = questionOf({ principal, act: httpRequest() }, facts());
const answer = (more: Partial<Answer> = {}): Answer => ({ decision: 'deny', determining: ['a'], errors: [], ...more });

function rig(compiled: Evaluate, authority: Evaluate, every = 1) {
  const deferred: (() => void)[] = [];
  const told: string[] = [];
  let made = 0;
  const { evaluate, isTrusted } = rechecked({
    compiled,
    authority: () => {
      made += 1;
      return authority;
    },
    every,
    defer: (task) => deferred.push(task),
    onDifference: (action) => told.push(action),
  });
  const settle = () => deferred.splice(0).map((task) => task()).length;
  return { evaluate, isTrusted, settle, told, made: () => made };
}

describe('rechecked', () => {
  it.each<[string, Partial<Answer>]>([
    ['another decision', { decision: 'allow' }],
    ['another policy', { determining: ['b'] }],
    ['one policy more', { determining: ['a', 'b'] }],
    ['an error that the compiled form did not see', { errors: ['a'] }],
  ])('%s: the authority takes over, and it is told once', (_name, more) => {
    const { evaluate, isTrusted, settle, told } = rig(
      () => answer(),
      () => answer(more),
    );
    expect(evaluate(question)).toEqual(answer());
    expect(evaluate(question)).toEqual(answer());
    expect([settle(), told, isTrusted()]).toEqual([2, ['http.request.other'], false]);
    expect(evaluate(question)).toEqual(answer(more));
    expect(settle()).toBe(0);
  });

  it('leaves the compiled form in force while both agree, and asks the authority about the sample only', () => {
    let asked = 0;
    const { evaluate, isTrusted, settle, made } = rig(
      () => answer(),
      () => {
        asked += 1;
        return answer();
      },
      10,
    );
    for (let i = 0; i < 25; i += 1) evaluate(question);
    expect([settle(), asked, made(), isTrusted()]).toEqual([3, 3, 1, true]);
  });
});
