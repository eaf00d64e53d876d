// Secrets that the company already has: their exact values are looked for in every view, so in every encoding. No pattern, so no
// doubt: what is found is one of them. A value may be too short for a decoder to see that it was encoded at all, so the commonest
// spellings of each are looked for as they stand, too.
import type { InspectFinding } from '../core/index.ts';
import { type KeywordMatcher, keywordMatcher } from './aho-corasick.ts';
import { rotatedBy13 } from './decode/rot13.ts';
import { redactedOf } from './secrets.ts';
import type { View } from './view.ts';

export interface KnownSecret {
  /** What it is called where it is kept, e.g. `.env:DATABASE_PASSWORD`; shown in findings. */
  readonly name: string;
  readonly value: string;
}

/** Shorter values are words that stand in any text. */
const LEAST_LENGTH = 8;

/** Finds the secrets in a view. */
export type KnownSecretFinder = (view: View) => InspectFinding[];

export function knownSecretFinder(secrets: readonly KnownSecret[], fingerprint: (value: string) => string): KnownSecretFinder {
  const usable = secrets.filter(({ value }) => Buffer.byteLength(value) >= LEAST_LENGTH);
  const spellings = usable.flatMap(spellingsOf);
  if (spellings.length === 0) return () => [];
  const needles = spellings.map(({ bytes }) => bytes.toString('latin1'));
  const scan = needles.length <= FEW ? eachIn(spellings) : keywordMatcher(needles, { ignoreCase: false }).scan;
  return (view) => {
    const findings: InspectFinding[] = [];
    scan(view.bytes, (index, start, end) => {
      const spelling = spellings[index];
      if (!spelling) return;
      findings.push({
        kind: 'secret',
        tier: 'block',
        detector: 'known-secret',
        view: [...view.decodersOf(start, end), ...spelling.decoders],
        ...view.origin(start, end),
        redacted: redactedOf(`known secret ${spelling.of.name}`, Buffer.from(spelling.of.value).toString('latin1'), fingerprint),
      });
    });
    return findings;
  };
}

/** The same finder for the same secrets: one session asks with the same ones again and again, each time a list of its own. */
export function lastFinder(fingerprint: (value: string) => string): (secrets: readonly KnownSecret[]) => KnownSecretFinder {
  let last: readonly KnownSecret[] = [];
  let finder: KnownSecretFinder = () => [];
  return (secrets) => {
    const isSame =
      secrets.length === last.length && secrets.every(({ name, value }, i) => last[i]?.name === name && last[i].value === value);
    if (!isSame) finder = knownSecretFinder(secrets, fingerprint);
    last = secrets;
    return finder;
  };
}

interface Spelling {
  readonly of: KnownSecret;
  readonly bytes: Buffer;
  readonly decoders: readonly string[];
}

function spellingsOf(of: KnownSecret): Spelling[] {
  const bytes = Buffer.from(of.value);
  const encoded: [string, string][] = [
    ['hex', bytes.toString('hex')],
    ['hex', bytes.toString('hex').toUpperCase()],
    // As forms write blanks.
    ['percent', of.value.replaceAll(' ', '+')],
    ['disguise', [...of.value].toReversed().join('')],
    ['disguise', of.value.replace(/[a-z]/gi, rotatedBy13)],
    ...([0, 1, 2] as const).flatMap((before): [string, string][] => [
      ['base64', aligned(bytes, before, 'base64')],
      ['base64', aligned(bytes, before, 'base64url')],
    ]),
  ];
  const unlike = new Map(encoded.map(([decoder, text]) => [text, decoder]));
  unlike.delete(of.value);
  const others = [...unlike].filter(([text]) => text.length >= LEAST_LENGTH);
  return [{ of, bytes, decoders: [] }, ...others.map(([text, decoder]) => ({ of, bytes: Buffer.from(text), decoders: [decoder] }))];
}

/** What of its base64 is the same whatever stands around it, when `before` bytes modulo three precede it. */
function aligned(bytes: Buffer, before: 0 | 1 | 2, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString(encoding)
    .replace(/=+$/, '');
  // The first characters mix with what precedes it, the last with what follows.
  const mixed = (before + bytes.length) % 3 === 0 ? 0 : 1;
  return text.slice([0, 2, 3][before], text.length - mixed);
}

/** For so many a search for each is quicker than making a matcher. */
const FEW = 32;

function eachIn(spellings: readonly Spelling[]): KeywordMatcher['scan'] {
  return (bytes, onHit) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const [index, { bytes: needle }] of spellings.entries()) {
      for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + needle.length)) onHit(index, at, at + needle.length);
    }
  };
}
