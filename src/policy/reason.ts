// The sentence of a policy's `@reason`, with the facts of the act in it: `{classification} data may not go to a {perimeter} model`.
// INVARIANT: only words of our own enumerations are filled in, never text that an agent wrote.
import type { Request, Target } from '../core/index.ts';
import type { Facts } from './question.ts';

export const reasonWords = ['classification', 'perimeter', 'purpose', 'class', 'vetting'] as const;

const placeholder = /\{(\w+)\}/g;

/** What stands in braces and is no word that can be filled in. */
export function unknownReasonWord(reason: string): string | undefined {
  return [...reason.matchAll(placeholder)].map(([, word = '']) => word).find((word) => !reasonWords.some((known) => known === word));
}

export function fillReason(reason: string, { principal, act }: Request, facts: Facts, target: Target | undefined): string {
  const words: Readonly<Record<string, string>> = {
    classification: facts.classification,
    perimeter: target?.perimeter ?? 'public',
    purpose: principal.purpose,
    class: 'class' in act ? act.class : 'other',
    vetting: principal.vetting,
  };
  return reason.replace(placeholder, (text, word: string) => (Object.hasOwn(words, word) ? (words[word] ?? text) : text));
}
