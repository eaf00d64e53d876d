// The annotations of a policy that the product reads. A word that was nearly one of them is an error: its author means it, and nothing would
// come of it. A word that is far from all of them is a note only: Cedar lets people annotate as they like (an owner, a ticket), and
// refusing those would refuse policies that do what they say.
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { editDistance, nearest } from '../core/index.ts';
import { reasonWords, unknownReasonWord } from './reason.ts';

/** What each takes, and why a value is none; `id` is looked at where policies get their names. */
const known: Readonly<Record<string, (value: string) => string | undefined>> = {
  id: () => undefined,
  reason: reasonFault,
  effect: (value) => (value === 'ask' ? undefined : 'takes "ask" and nothing else'),
  approvers: (value) =>
    /^[A-Za-z0-9][\w.@-]*( *, *[A-Za-z0-9][\w.@-]*)*$/.test(value) ? undefined : 'takes names, such as "lead" or "lead, security"',
  ttl: (value) => (/^[1-9]\d{0,5}[smhd]$/.test(value) ? undefined : 'takes a time, such as "15m", "12h" or "7d"'),
};

export interface AnnotationFault {
  readonly name: string;
  readonly message: string;
}

export function annotationFault({ annotations = {} }: PolicyJson): AnnotationFault | undefined {
  for (const [name, value] of Object.entries(annotations)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    const meant = check ? undefined : Object.keys(known).find((word) => isNearly(name, word));
    if (meant !== undefined) return { name, message: `unknown annotation @${name}; did you mean @${meant}?` };
    const fault = check?.(value ?? '');
    if (fault !== undefined) return { name, message: `@${name} ${fault}` };
  }
  return undefined;
}

/** What a policy says that changes nothing. */
export function annotationNotes({ annotations = {}, effect }: PolicyJson): readonly string[] {
  return Object.keys(annotations).flatMap((name) => {
    if (!Object.hasOwn(known, name)) return [`@${name} is read by nothing`];
    return name === 'effect' ? [`@effect("ask") asks nobody yet: the policy ${effect}s`] : [];
  });
}

function reasonFault(reason: string): string | undefined {
  const odd = unknownReasonWord(reason);
  if (odd === undefined) return undefined;
  const meant = nearest(odd, reasonWords);
  return `knows no {${odd}}; ${meant ? `did you mean {${meant}}?` : `there are ${reasonWords.join(', ')}`}`;
}

/** One slip of the keyboard, two in a long word. Nearer than what a person may have meant as a word of their own: @region, @title. */
function isNearly(name: string, word: string): boolean {
  const lower = name.toLowerCase();
  if (editDistance(lower, word) <= (word.length >= 8 ? 2 : 1)) return true;
  const at = [...lower].findIndex((letter, i) => letter !== word[i]);
  return lower === `${word.slice(0, at)}${word[at + 1] ?? ''}${word[at] ?? ''}${word.slice(at + 2)}`;
}
