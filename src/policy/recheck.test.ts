import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Answer, Evaluate } from './evaluate.ts';
import { questionOf } from './question.ts';
import { rechecked } from './recheck.ts';
import { facts, httpRequest, principal } from './testdata/request.ts';

const question = questionOf({ principal, act: httpRequest() }, facts());
const answer = (more: Partial<Answer> = {}): Answer => ({ decision: 'deny', determining: ['a'], errors: [], ...more });

function rig(compiled: Evaluate, authority: Evaluate | Error, every = 1) {
  const deferred: (() => void)[] = [];
  const told: string[] = [];
  let made = 0;
  const { evaluate, isTrusted } = rechecked({
    compiled,
    authority: async () => {
      made += 1;
      if (authority instanceof Error) throw authority;
      return authority;
    },
    every,
    defer: (task) => deferred.push(task),
    onDistrust: (why) => told.push(why),
  });
  const settle = async () => {
    const { length } = deferred.splice(0).map((task) => task());
    await setImmediate();
    return length;
  };
  return { evaluate, isTrusted, settle, told, made: () => made };
}

describe('rechecked', () => {
  it.each<[string, Partial<Answer>]>([
    ['another decision', { decision: 'allow' }],
    ['another policy', { determining: ['b'] }],
    ['one policy more', { determining: ['a', 'b'] }],
    ['an error that the compiled form did not see', { errors: ['a'] }],
  ])('%s: the authority takes over, and it is told once', async (_name, more) => {
    const { evaluate, isTrusted, settle, told } = rig(
      () => answer(),
      () => answer(more),
    );
    expect(evaluate(question)).toEqual(answer());
    expect(evaluate(question)).toEqual(answer());
    expect([await settle(), told, isTrusted()]).toEqual([
      2,
      ['the compiled form differs on http.request.other; cedar-wasm decides from now on'],
      false,
    ]);
    expect(evaluate(question)).toEqual(answer(more));
    expect(await settle()).toBe(0);
  });

  it('leaves the compiled form in force while both agree, and asks the authority about the sample only', async () => {
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
    expect([await settle(), asked, made(), isTrusted()]).toEqual([3, 3, 1, true]);
  });

  it.each<[string, Evaluate | Error]>([
    ['is not there', new Error('no such file')],
    [
      'breaks',
      () => {
        throw new WebAssembly.RuntimeError('unreachable');
      },
    ],
  ])('an authority that %s: everything is refused, and it is told once', async (_name, authority) => {
    const { evaluate, isTrusted, settle, told } = rig(() => answer({ decision: 'allow' }), authority);
    evaluate(question);
    evaluate(question);
    await settle();
    expect([told, isTrusted()]).toEqual([['cedar-wasm cannot be asked; everything is refused from now on'], false]);
    expect(evaluate(question)).toMatchObject({ decision: 'deny', errors: [expect.any(String)] });
  });
});
