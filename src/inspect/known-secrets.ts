// Secrets that the company already has: their exact values are looked for in every view, so in every encoding. No pattern, so no
// doubt: what is found is one of them.
import type { InspectFinding } from '../core/index.ts';
import { type KeywordMatcher, keywordMatcher } from './aho-corasick.ts';
import { redactedOf } from './secrets.ts';
import type { View } from './view.ts';

export interface KnownSecret {
  /** What it is called where it is kept, e.g. `.env:DATABASE_PASSWORD`; shown in findings. */
  readonly name: string;
  readonly value: string;
}

/** Shorter values are words that stand in any text. */
const LEAST_LENGTH = 8;

export function knownSecretFinder(
  secrets: readonly KnownSecret[],
  fingerprint: (value: string) => string,
): (view: View) => InspectFinding[] {
  const usable = secrets.filter(({ value }) => Buffer.byteLength(value) >= LEAST_LENGTH);
  const values = usable.map(({ value }) => Buffer.from(value).toString('latin1'));
  if (values.length === 0) return () => [];
  const scan = values.length <= FEW ? eachIn(values) : keywordMatcher(values, { ignoreCase: false }).scan;
  return (view) => {
    const findings: InspectFinding[] = [];
    scan(view.bytes, (index, start, end) => {
      const redacted = redactedOf(`known secret ${usable[index]?.name ?? ''}`, values[index] ?? '', fingerprint);
      findings.push({
        kind: 'secret',
        tier: 'block',
        detector: 'known-secret',
        view: view.decodersOf(start, end),
        ...view.origin(start, end),
        redacted,
      });
    });
    return findings;
  };
}

/** For so many a search for each is quicker than making a matcher. */
const FEW = 32;

function eachIn(values: readonly string[]): KeywordMatcher['scan'] {
  const needles = values.map((value) => Buffer.from(value, 'latin1'));
  return (bytes, onHit) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const [index, needle] of needles.entries()) {
      for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + needle.length)) onHit(index, at, at + needle.length);
    }
  };
}

/** The assignments of a `.env` file, as its common readers take them: `NAME=value`, quotes and `export` taken off. */
export function secretsOfEnvFile(text: string, file: string): KnownSecret[] {
  return [...text.matchAll(/^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\n#]*))/gm)].flatMap(
    (match) => {
      const value = (match[2] ?? match[3] ?? match[4] ?? '').trim();
      const isSecret = value.length >= LEAST_LENGTH && !/^(?:https?:\/\/[^@]*|\d+|true|false|[\w./-]*\/[\w./-]*)$/i.test(value);
      return isSecret ? [{ name: `${file}:${match[1] ?? ''}`, value }] : [];
    },
  );
}
