import { expect, it } from 'vitest';
import { parseQuestions } from '../ask.ts';

it('names the question that is none', () => {
  expect(() => parseQuestions('{"agent":"claude-code","action":"fly","target":"x"}')).toThrow(/question 1: action/);
  expect(() => parseQuestions('{"agent":"nobody","action":"shell","target":"x"}')).toThrow(/question 1: agent/);
  expect(() => parseQuestions('nonsense')).toThrow(/question 1/);
});
