// Values that are not distinctive by themselves: told by the name of their service standing before an assignment.
import type { Tier } from '../../core/index.ts';
import { type Detector, detector } from '../detector.ts';
import { alphabets, fill } from './fill.ts';

/** `name [of a field] = "`: every quantifier is bounded, and the next part begins with what the part before cannot hold. */
const ASSIGNED = '[\\w.\\- \\t]{0,40}["\'`\\]]{0,2}[ \\t]{0,4}(?:=>|:=|\\?=|===?|[=:,(]|value[=:])[ \\t\\n]{0,4}["\'`]{0,2}';
const CLOSED = '(?![\\w+/=-])';

export interface ContextualValue {
  readonly id: string;
  /** Names of the service, lower case. */
  readonly names: readonly string[];
  /** Source of a regular expression without captures. */
  readonly value: string;
  readonly sample: string;
  /** `count` for identifiers that are not secret by themselves; `block` where the value is distinctive too. */
  readonly tier?: Tier;
  readonly minEntropy?: number;
}

export function contextual({ id, names, value, sample, tier = 'route', minEntropy = 2.5 }: ContextualValue): Detector {
  const named = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const name = names[0] ?? '';
  return detector({
    id,
    label: 'secret',
    tier,
    keywords: names,
    pattern: new RegExp(`(?:${named})${ASSIGNED}(?<value>${value})${CLOSED}`, 'i'),
    reach: 500,
    minEntropy,
    verify: (found) => /\d/.test(found),
    hits: [`${name}_token = "${sample}"`, `${name.toUpperCase()}_KEY=${sample}\n`, `{"${name}": "${sample}"}`],
    misses: [
      `${name} is described in the manual`,
      `${name}_token = "${sample.slice(0, 5)}"`,
      `${name}_token = "${'x'.repeat(sample.length)}"`,
    ],
  });
}

/** The commonest kind: one run of `length` characters of an alphabet. */
export function run(alphabet: keyof typeof alphabets | 'base64url', min: number, max = min): { value: string; sample: string } {
  const characters = {
    digits: '0-9',
    hex: 'a-f0-9',
    hexUpper: 'A-F0-9',
    lower: 'a-z',
    lower36: 'a-z0-9',
    upper36: 'A-Z0-9',
    base32: 'A-Z2-7',
    base62: 'a-zA-Z0-9',
    bech32: 'A-Z0-9',
    base64url: '\\w=-',
  }[alphabet];
  return {
    value: `[${characters}]{${min}${max > min ? `,${max}` : ''}}`,
    sample: fill(alphabet === 'base64url' ? 'base62' : alphabet, min),
  };
}

export function uuidRun(sample: string): { value: string; sample: string } {
  return { value: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', sample };
}
