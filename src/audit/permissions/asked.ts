// Test kit: questions to one agent's settings, as `audit --ask` answers them.
import { ask, parseQuestions } from '../ask.ts';
import { lay, optionsFor, user } from '../temporary-home.ts';

type Files = Readonly<Record<string, string>>;
type Expectation = readonly [action: string, target: string, mode: string, source?: string];
export type AskedCase = readonly [name: string, agent: string, files: Files, questions: readonly Expectation[]];

export const json = (value: unknown): string => JSON.stringify(value, undefined, 1);

/** The answers in the form of the questions: with their source where one is expected. */
export function answers(agent: string, files: Files, questions: readonly Expectation[]): readonly Expectation[] {
  using laid = lay(files);
  const asked = questions.map(([action, target]) => JSON.stringify({ agent, workspace: `${user}/repo`, action, target })).join('\n');
  const { answers: given } = ask(optionsFor(laid.root), parseQuestions(asked));
  return given.map(({ mode, source }, index): Expectation => {
    const [action = '', target = '', , wanted] = questions[index] ?? [];
    const shown = source.file === null ? source.scope : `${source.file.replace(user, '~')}:${source.line ?? 0}`;
    return wanted === undefined ? [action, target, mode] : [action, target, mode, shown];
  });
}
